/** Pipe: two ends, each of which receives what the other one sends. */
import assert from 'node:assert/strict'
import { Pipe } from 'procshare'
import { failsWith, tookAtLeast } from './assertions.ts'
import { type Case, call, forms, type Party, type Stage } from './driver.ts'

/** The ends of a new pipe in the hands of two parties, and of nobody else. */
async function pipe({ parties, share }: Stage, options?: { duplex?: boolean; byteLength?: number }) {
  const [a, b, c] = (await parties(3)) as [Party, Party, Party]
  const [first, second] = new Pipe(options)
  const handles = [share(first).handle, share(second).handle] as const
  for (const [party, handle] of [
    [a, handles[0]],
    [b, handles[1]],
  ] as const)
    await party.get(handle, 'isReadable')
  first.close()
  second.close()
  return { a, b, c, left: handles[0], right: handles[1] }
}

export const pipeCases: Case[] = [
  ...forms.flatMap(({ form, suffix, needs }): Case[] => {
    const send = `send${suffix}`
    const recv = `recv${suffix}`
    return [
      {
        name: `carries messages in both directions, in order, ${form}`,
        async run(stage) {
          const { a, b, left, right } = await pipe(stage)
          for (let i = 0; i < 3; i++) await a.call(left, send, { i })
          await b.call(right, send, 'the other way')
          for (let i = 0; i < 3; i++) assert.deepEqual(await b.call(right, recv), { i })
          assert.equal(await a.call(left, recv), 'the other way')
          assert.equal(await a.call(left, 'tryRecv'), undefined)
        },
      },
      {
        name: `makes those wait who want a message, ${form}`,
        needs,
        async run(stage) {
          const { a, b, left, right } = await pipe(stage)
          const waiting = await a.start(left, recv)
          await a.waits(waiting)
          await b.call(right, send, 'message')
          assert.equal(await waiting.value, 'message')
        },
      },
      {
        name: `makes those wait who send while there is no room, ${form}`,
        needs,
        async run(stage) {
          const { a, b, left, right } = await pipe(stage, { byteLength: 1024 })
          const message = Buffer.alloc(1015)
          await a.call(left, send, message)
          assert.equal(await a.call(left, 'trySend', message), false)
          await failsWith('ERR_TIMEOUT', a.errorOf(call(left, send, message, { timeoutMs: 10 })))
          const waiting = await a.start(left, send, 'next')
          await a.waits(waiting)
          await b.call(right, recv)
          await waiting.value
          assert.equal(await b.call(right, recv), 'next')
        },
      },
      {
        name: `gives up after a timeout, ${form}`,
        async run(stage) {
          const { a, b, left, right } = await pipe(stage)
          await failsWith('ERR_TIMEOUT', a.errorOf(call(left, recv, { timeoutMs: 0 })))
          const late = () => a.errorOf(call(left, recv, { timeoutMs: 25 }))
          await tookAtLeast(25, () => failsWith('ERR_TIMEOUT', late()))
          await b.call(right, send, 'message')
          assert.equal(await a.call(left, recv, { timeoutMs: 0 }), 'message')
        },
      },
      {
        name: `says whether there is something to receive, and takes nothing, ${form}`,
        needs,
        async run(stage) {
          const { a, b, left, right } = await pipe(stage)
          const poll = `poll${suffix}`
          assert.equal(await a.call(left, poll), false)
          assert.equal(await a.call(left, poll, { timeoutMs: 20 }), false)
          const waiting = await a.start(left, poll, { timeoutMs: 20_000 })
          await a.waits(waiting)
          await b.call(right, send, '')
          assert.equal(await waiting.value, true)
          assert.equal(await a.call(left, poll), true)
          assert.equal(await a.call(left, recv), '')
          assert.equal(await a.call(left, poll), false)
          await b.call(right, 'close')
          assert.equal(await a.call(left, poll), true) // the end
        },
      },
      {
        name: `comes to its end when the other end is closed, after what was under way, ${form}`,
        needs,
        async run(stage) {
          const { a, b, left, right } = await pipe(stage)
          await b.call(right, send, 'last')
          assert.equal(await a.call(left, recv), 'last')
          const waiting = await a.start(left, recv)
          await a.waits(waiting)
          await b.call(right, 'close')
          await failsWith('ERR_ENDED', waiting.error)
          await failsWith('ERR_ENDED', a.errorOf(call(left, recv)))
          await failsWith('ERR_ENDED', a.errorOf(call(left, send, 1)))
          await failsWith('ERR_CLOSED', b.errorOf(call(right, recv)))
        },
      },
      {
        name: `comes to its end when the one is killed who had the other end, ${form}`,
        needs: ['end', ...needs],
        async run(stage) {
          const { a, b, left, right } = await pipe(stage)
          await b.call(right, send, 'last')
          await b.call(right, send, 'words')
          assert.equal(await a.call(left, recv), 'last')
          await b.end()
          assert.equal(await a.call(left, recv), 'words')
          await failsWith('ERR_ENDED', a.errorOf(call(left, recv)))
          await failsWith('ERR_ENDED', a.errorOf(call(left, send, 1)))
        },
      },
      {
        name: `comes to its end for one who waits when the one is killed who had the other end, ${form}`,
        needs: ['end', ...needs],
        async run(stage) {
          const { a, b, left } = await pipe(stage)
          const waiting = await a.start(left, recv)
          await a.waits(waiting)
          await b.end()
          await failsWith('ERR_ENDED', waiting.error)
        },
      },
      {
        name: `goes on as long as somebody has the other end, ${form}`,
        needs: ['end', ...needs],
        async run(stage) {
          const { a, b, c, left, right } = await pipe(stage)
          assert.equal(await c.get(right, 'isWritable'), true)
          const waiting = await a.start(left, recv)
          await a.waits(waiting)
          await b.end()
          await c.call(right, send, 'still here')
          assert.equal(await waiting.value, 'still here')
          await c.call(right, 'close')
          await failsWith('ERR_ENDED', a.errorOf(call(left, recv)))
        },
      },
    ]
  }),
  {
    name: 'of one direction has an end that receives and one that sends',
    async run(stage) {
      const { a, b, left, right } = await pipe(stage, { duplex: false })
      const abilities = (party: Party, handle: typeof left) =>
        Promise.all([party.get(handle, 'isReadable'), party.get(handle, 'isWritable')])
      assert.deepEqual(await abilities(a, left), [true, false])
      assert.deepEqual(await abilities(b, right), [false, true])
      for (const method of ['send', 'sendSync', 'trySend']) {
        await failsWith('ERR_ONE_WAY', a.errorOf(call(left, method, 1)), method)
      }
      for (const method of ['recv', 'recvSync', 'tryRecv', 'poll']) {
        await failsWith('ERR_ONE_WAY', b.errorOf(call(right, method)), method)
      }
      await b.call(right, 'send', 'message')
      assert.equal(await a.call(left, 'recv'), 'message')
    },
  },
]
