// What the server's OpenAPI document says of a request and its answer.

import { readFileSync } from 'node:fs'

import { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'

const document = JSON.parse(readFileSync(new URL('../openapi.json', import.meta.url), 'utf8'))

const ajv = formats.default(new Ajv2020({ strict: false, allErrors: true }))
ajv.addSchema(document, 'openapi.json')

const routes = Object.entries(document.paths).flatMap(([path, operations]) =>
  Object.entries(operations).map(([method, { operationId, responses }]) => ({
    method: method.toUpperCase(),
    pattern: new RegExp(`^${path.replaceAll(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`),
    at: `/paths/${path.replaceAll('~', '~0').replaceAll('/', '~1')}/${method}`,
    id: operationId,
    responses,
  })),
)

/** The ids of the document's operations. */
export const operations = routes.map((r) => r.id)

/** The operation that a request is for, and the parameters of its path; undefined when the document has none. */
export function find(method, path) {
  for (const operation of routes) {
    const match = operation.method === method && operation.pattern.exec(path)
    if (match) return { operation, params: match.groups ?? {} }
  }
  return undefined
}

/** The status of an operation's success. */
export const success = (operation) => Number(Object.keys(operation.responses).find((status) => status.startsWith('2')))

/** Throws unless the body is as the operation's answer of the status is described. */
export function check(operation, status, body, type = 'application/json') {
  const name = status in operation.responses ? status : 'default'
  const described = operation.responses[name].content?.[type]
  if (!described && body === undefined) return
  if (!described) throw new Error(`${operation.id}: no ${type} is described for ${status}`)
  const at = `openapi.json#${operation.at}/responses/${name}/content/${type.replaceAll('/', '~1')}/schema`
  const validate = ajv.getSchema(encodeURI(at)) ?? ajv.compile({ $ref: encodeURI(at) })
  if (!validate(body)) {
    throw new Error(`${operation.id}: the answer is not as openapi.json describes it: ${ajv.errorsText(validate.errors)}`)
  }
}
