/** The proxies of what holds values; importing them makes them known. */
import './array.ts'
import './dict.ts'
import './iterator.ts'
import './list.ts'
import './namespace.ts'
import './set.ts'
import './value.ts'
