// A queue that processes on several machines use: the remote manager of the documentation of Python's multiprocessing.
//
//   node examples/manager-remote.mjs serve 50000        on one machine
//   node examples/manager-remote.mjs put HOST:50000 hello   on any
//   node examples/manager-remote.mjs get HOST:50000
//   node examples/manager-remote.mjs                    all three, one after the other
//
// The key is in the variable PROCSHARE_AUTHKEY. It prevents other clients from connecting. Without TLS, the traffic can be read.

import { Manager } from 'procshare'

process.env.PROCSHARE_AUTHKEY ??= 'abracadabra'

async function serve(port = 0) {
  const server = await Manager.serve({ address: { host: '127.0.0.1', port: Number(port) } })
  console.log(`serving at ${server.address.host}:${server.address.port}`)
  return server
}

async function connect(address) {
  const [host, port] = address.split(':')
  return await Manager.connect({ address: { host, port: Number(port) } })
}

async function put(address, item) {
  const manager = await connect(address)
  const queue = await manager.Queue('jobs')
  await queue.put(item)
  manager.close()
}

async function get(address) {
  const manager = await connect(address)
  const queue = await manager.Queue('jobs')
  console.log(await queue.get())
  manager.close()
}

const [what, ...args] = process.argv.slice(2)
if (what === 'serve') await serve(...args)
else if (what === 'put') await put(...args)
else if (what === 'get') await get(...args)
else {
  const server = await serve()
  const address = `127.0.0.1:${server.address.port}`
  await put(address, 'hello')
  await get(address) // hello
  await server.close()
}
