import { pickLocale } from '../format'

const shapes = { date: { dateStyle: 'medium' }, minute: { dateStyle: 'medium', timeStyle: 'short' } } as const
const exact = { dateStyle: 'full', timeStyle: 'long' } as const

const write = (at: string, shape: Intl.DateTimeFormatOptions) =>
  new Intl.DateTimeFormat(pickLocale(), { ...shape, hourCycle: 'h23' }).format(new Date(at))

/** A time in the reader's own timezone; exact when the pointer rests on it. */
export function Time({ at, to = 'minute' }: { at: string; to?: keyof typeof shapes }) {
  return (
    <time dateTime={at} title={write(at, exact)} className="whitespace-nowrap tabular-nums">
      {write(at, shapes[to])}
    </time>
  )
}
