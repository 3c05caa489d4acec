import { readFileSync } from 'node:fs'
import { expect } from 'aegir/chai'
import { assessmentVectors, scoreVectors } from './vectors.ts'

const read = (path: string): unknown => JSON.parse(readFileSync(new URL(`../../protocols/${path}`, import.meta.url), 'utf8'))

describe('scoring vectors', () => {
  it('are what the code gives for scores', () => {
    expect(scoreVectors()).to.deep.equal(read('score/vectors/scores.json'))
  })

  it('are what the code gives for assessments', () => {
    expect(assessmentVectors()).to.deep.equal(read('assessment/vectors/assessment.json'))
  })
})
