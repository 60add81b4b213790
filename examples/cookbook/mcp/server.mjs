// An MCP server on standard input and output. Each client starts one of its own; all of them share one daily quota.

import { createInterface } from 'node:readline'
import { takeSearch } from './state.mjs'

const search = {
  name: 'search',
  description: 'Searches the catalogue',
  inputSchema: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
}

const methods = {
  initialize: ({ protocolVersion }) => ({
    protocolVersion,
    capabilities: { tools: {} },
    serverInfo: { name: 'search', version: '1.0.0' },
  }),
  ping: () => ({}),
  'tools/list': () => ({ tools: [search] }),
  'tools/call': ({ arguments: { text } }) => {
    const left = takeSearch()
    if (left < 0) return { isError: true, content: [{ type: 'text', text: 'The quota of today is used up' }] }
    return { content: [{ type: 'text', text: `Found ${text}; ${left} searches left today` }] }
  },
}

for await (const line of createInterface({ input: process.stdin })) {
  const { id, method, params } = JSON.parse(line)
  if (id === undefined) continue // a notification
  const answer = Object.hasOwn(methods, method)
    ? { result: methods[method](params ?? {}) }
    : { error: { code: -32601, message: `Method ${method} does not exist` } }
  console.log(JSON.stringify({ jsonrpc: '2.0', id, ...answer }))
}
