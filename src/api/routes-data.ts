import { importRows } from '../datanets/index.ts'
import { accountToString } from '../identity/index.ts'
import { readContribution } from '../ledger/index.ts'
import { TRANSACTION_TIMEOUT_MS } from './constants.ts'
import { cidOf, send, signerOf } from './context.ts'
import { UploadError } from './errors.ts'
import { contributionQuery, datanetBody, idParams, withdrawBody } from './schemas.ts'
import type { ApiContext } from './context.ts'
import type { AdmissionPolicy, Row } from '../interface/index.ts'
import type { Static } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'

/** What a Datanet asks of contributions if its creator says nothing else. */
const admissionDefault: AdmissionPolicy = {
  rowsMin: 1,
  rowsMax: 100_000,
  duplicatesPermilleMax: 200,
  piiPermilleMax: 50,
  qualityPermilleMin: 400
}

/** Datanets and contributions. */
export function dataRoutes (server: FastifyInstance, context: ApiContext): void {
  const { node, closing } = context
  const patience = (): AbortSignal => AbortSignal.any([closing, AbortSignal.timeout(TRANSACTION_TIMEOUT_MS * 2)])

  server.post<{ Body: Static<typeof datanetBody> }>('/api/v1/datanets', { schema: { body: datanetBody } }, async ({ body }) => {
    const { as, admission, ...manifest } = body
    const { datanet } = await node.datanets.create({ ...manifest, admission: { ...admissionDefault, ...admission } }, signerOf(context, as), { signal: patience() })

    return { datanet: datanet.toString(), name: body.name }
  })

  server.post<{ Querystring: Static<typeof contributionQuery>, Body: unknown }>('/api/v1/contributions', { schema: { querystring: contributionQuery } }, async ({ query, body }) => {
    if (!Buffer.isBuffer(body)) {
      throw new UploadError('expected the file itself as the body, with content-type application/octet-stream')
    }

    const signal = patience()
    const datanet = cidOf(query.datanet)
    const { manifest } = await node.datanets.get(datanet, { signal })
    const signer = signerOf(context, query.as)
    const source = query.format === 'parquet'
      ? { byteLength: body.byteLength, slice: (start: number, end?: number) => new Uint8Array(body.subarray(start, end)).buffer }
      : [new Uint8Array(body)]
    const rows = importRows(query.format, source, { manifest, signal, constants: constantsOf(query.constants) })
    const { contribution, record } = await node.datanets.contribute({ datanet, title: query.title, rows, signer }, { signal })

    return {
      contribution: contribution.toString(),
      contributor: accountToString(signer.account),
      rows: record.payload.rows,
      bytes: record.payload.bytes,
      status: readContribution(node.chain.state(), contribution)?.status ?? 'pending'
    }
  })

  server.post<{ Params: Static<typeof idParams>, Body: Static<typeof withdrawBody> }>('/api/v1/contributions/:id/withdraw', { schema: { params: idParams, body: withdrawBody } }, async ({ params: { id }, body: { as } }) =>
    send(context, { kind: 'withdraw-contribution', contribution: cidOf(id) }, as))
}

function constantsOf (text: string | undefined): Row | undefined {
  if (text == null) {
    return undefined
  }

  try {
    const value = JSON.parse(text) as Record<string, unknown>

    if (Object.values(value).every(item => typeof item === 'string' || Number.isSafeInteger(item))) {
      return value as Row
    }
  } catch (cause) {
    throw new UploadError(`"constants" should be a JSON object but is ${text}`, cause)
  }

  throw new UploadError(`"constants" should hold texts and whole numbers only but is ${text}`)
}
