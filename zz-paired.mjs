
import { Lock, Value, SharedArray, Queue, RawValue } from 'procshare'
const time = (n, fn) => { fn(n / 10); const t0 = process.hrtime.bigint(); fn(n); return Number(process.hrtime.bigint() - t0) / n }
const l = new Lock(), v = new Value('i', 0), d = new Value('d', 0), r = new RawValue('i', 0), q = new Queue(), a = new SharedArray('d', 64)
const src = new Float64Array(64)
const out = {
 pair: time(1e6, (n) => { for (let i = 0; i < n; i++) l.acquireSync().release() }),
 runSync: time(1e6, (n) => { const f = () => {}; for (let i = 0; i < n; i++) l.runSync(f) }),
 update: time(2e6, (n) => { for (let i = 0; i < n; i++) v.update((x) => (x + 1) | 0) }),
 add: time(2e6, (n) => { for (let i = 0; i < n; i++) v.add(i & 1 ? 1 : -1) }),
 addD: time(2e6, (n) => { for (let i = 0; i < n; i++) d.add(1) }),
 get: time(2e6, (n) => { let s = 0; for (let i = 0; i < n; i++) s += v.value; return s }),
 rawAdd: time(2e6, (n) => { for (let i = 0; i < n; i++) r.add(1) }),
 queue: time(3e5, (n) => { for (let i = 0; i < n; i++) { q.putSync(i); q.getSync() } }),
 assign: time(3e5, (n) => { for (let i = 0; i < n; i++) a.assign(src) }),
 create: time(3e3, (n) => { for (let i = 0; i < n; i++) new Value('i', 0).close() }),
}
console.log(JSON.stringify(out))