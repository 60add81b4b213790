// Exposed methods, results that stay in the server, and iteration: the program about proxies in the documentation of Python's
// multiprocessing.
//
//   node examples/manager-types.mjs

import { isMainThread } from 'node:worker_threads'
import { Manager } from 'procshare'

export class Foo {
  f() {
    return 'you called Foo.f()'
  }

  g() {
    return 'you called Foo.g()'
  }

  _h() {
    return 'you called Foo._h()'
  }
}

export class Tree {
  children() {
    return ['left', 'right']
  }

  *walk() {
    yield* ['root', ...this.children()]
  }
}

// The server imports this file as well. Code for this process only is inside this condition.
if (isMainThread && process.argv[1] === import.meta.filename) {
  const manager = await Manager.start({
    types: {
      // The methods of the class whose names do not begin with an underscore.
      Foo1: { module: import.meta.url, export: 'Foo' },
      // Only these methods.
      Foo2: { module: import.meta.url, export: 'Foo', exposed: ['g', '_h'] },
      // The result of children() becomes a list in the server. The items of walk() are fetched when they are used.
      Tree: { module: import.meta.url, export: 'Tree', returns: { children: 'list', walk: 'iterator' } },
    },
  })

  const foo1 = await manager.create('Foo1')
  console.log(await foo1.f(), '/', await foo1.g(), '/', '_h' in foo1) // … / … / false

  const foo2 = await manager.create('Foo2')
  console.log(await foo2.g(), '/', await foo2._h(), '/', 'f' in foo2) // … / … / false

  const tree = await manager.create('Tree')
  const children = await tree.children()
  await children.push('middle')
  console.log(await children.toArray()) // [ 'left', 'right', 'middle' ]
  for await (const node of await tree.walk()) console.log(node) // root, left, right
  await manager.shutdown()
}
