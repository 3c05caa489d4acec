import { expect } from 'aegir/chai'
import { launch } from '../ui/browser.ts'
import type { Page } from 'playwright-core'

const WAIT_MS = 120_000

/** A person at the page of a running swarm: looks at who was paid and why, asks, and begins a training. */
export async function visitPage (executable: string, url: string): Promise<void> {
  const browser = await launch(executable)

  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } })
    const complaints: string[] = []

    page.on('console', message => {
      if (message.type() === 'error') {
        complaints.push(message.text())
      }
    })
    page.on('request', request => {
      if (new URL(request.url()).origin !== new URL(url).origin) {
        complaints.push(`a request to ${request.url()}`)
      }
    })
    page.setDefaultTimeout(WAIT_MS)

    await page.goto(url)
    await looksAtPayouts(page)
    await asks(page)
    await trains(page)
    await sees(page, 'Govern', '55 %')

    expect(complaints).to.deep.equal([])
  } finally {
    await browser.close()
  }
}

async function enter (page: Page, room: string): Promise<void> {
  await page.getByRole('navigation', { name: 'Rooms' }).getByRole('button', { name: new RegExp(`^${room}`) }).click()
}

async function sees (page: Page, room: string, text: string): Promise<void> {
  await enter(page, room)
  await page.getByText(text).first().waitFor()
}

/** Committees that agreed, what they paid, and one reason after the other. */
async function looksAtPayouts (page: Page): Promise<void> {
  await sees(page, 'Data', 'Abraham Lincoln 1862')
  await enter(page, 'Agree and settle')
  await page.getByRole('table', { name: 'Payouts' }).getByText('Lincoln').first().waitFor()
  await enter(page, 'Why')
  await page.getByRole('list', { name: 'Payouts' }).getByRole('button').first().click()
  await page.getByRole('list', { name: 'Verified reasons' }).getByRole('listitem').nth(5).waitFor()
}

/** A paid question; every token of the answer carries the contribution that shaped it. */
async function asks (page: Page): Promise<void> {
  await enter(page, 'Ask')
  await page.getByRole('textbox', { name: /Begin a text/ }).fill('My fellow citizens')
  await page.getByRole('form', { name: 'Question' }).getByRole('button', { name: 'Ask' }).click()

  const answer = page.getByRole('region', { name: 'Answer' })

  await answer.locator('[data-contribution]').first().waitFor()
  expect(await answer.locator('[data-token]').count()).to.be.greaterThan(4)
}

/** A training that shows its loss while it runs; it is cancelled, a whole one is in the demo itself. */
async function trains (page: Page): Promise<void> {
  await enter(page, 'Fine-tune')

  const form = page.getByRole('form', { name: 'New training' })

  await form.getByRole('textbox', { name: /Name/ }).fill('by-hand')
  await form.getByRole('button', { name: 'Train', exact: true }).click()

  const training = page.getByRole('region', { name: 'Training by-hand' })

  await training.getByRole('img', { name: /Loss curve/ }).waitFor()
  await training.getByRole('button', { name: 'Cancel' }).click()
  await training.getByText(/cancelled/i).first().waitFor()
}
