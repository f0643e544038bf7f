import { locale } from './messages'

const usual = { en: 'en-GB', zh: 'zh-CN' }

/** The browser's variant of the interface's language, so that a date is never half translated. */
export function pickLocale(): string {
  return globalThis.navigator?.languages?.find((l) => l.split('-')[0] === locale) ?? usual[locale]
}

/** Writes numbers and times the way one project shows them. */
export interface Format {
  timezone: string
  number(n: number): string
  /** A short form for axes and tight places: 12K, 3.4M. */
  compact(n: number): string
  /** A share of 1 as a percentage. */
  percent(share: number): string
  /** A value from 0 to 1 that is no share: 0.94. */
  score(n: number): string
  /** A relative change, signed: 0.124 is +12.4%. */
  change(share: number): string
  /** 12:03:11 */
  clock(t: Date | string | number): string
  /** 12:03 */
  minute(t: Date | string | number): string
  /** 3 Nov */
  day(t: Date | string | number): string
  /** Mon 3 Nov */
  weekday(t: Date | string | number): string
  /** 3 Nov 2026, 12:03:11 */
  full(t: Date | string | number): string
  /** The project's date at t, 2026-11-03. */
  date(t: Date | string | number): string
  /** Milliseconds: 84ms, 1.2s, 3m 20s. */
  duration(ms: number): string
  country(code: string): string
}

export function makeFormat(timezone: string, lang: string = pickLocale()): Format {
  const time = (options: Intl.DateTimeFormatOptions, l = lang) => {
    const f = new Intl.DateTimeFormat(l, { ...options, timeZone: timezone })
    return (t: Date | string | number) => f.format(typeof t === 'string' ? new Date(t) : t)
  }
  const num = (options: Intl.NumberFormatOptions, l = lang) => {
    const f = new Intl.NumberFormat(l, options)
    return (n: number) => f.format(n)
  }
  const clock = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const
  const regions = new Intl.DisplayNames(lang, { type: 'region', fallback: 'code' })
  const ms = num({ style: 'unit', unit: 'millisecond', unitDisplay: 'narrow', maximumFractionDigits: 0 })
  const s = num({ style: 'unit', unit: 'second', unitDisplay: 'narrow', maximumFractionDigits: 1 })
  const min = num({ style: 'unit', unit: 'minute', unitDisplay: 'narrow', maximumFractionDigits: 0 })

  return {
    timezone,
    number: num({ maximumFractionDigits: 1 }),
    compact: num({ notation: 'compact', maximumFractionDigits: 1 }, locale), // not lang: en-GB's 1.2m reads as metres
    percent: num({ style: 'percent', maximumFractionDigits: 1 }),
    score: num({ minimumFractionDigits: 2, maximumFractionDigits: 2 }),
    change: num({ style: 'percent', maximumFractionDigits: 1, signDisplay: 'exceptZero' }),
    clock: time({ ...clock, second: '2-digit' }),
    minute: time(clock),
    day: time({ day: 'numeric', month: 'short' }),
    weekday: time({ weekday: 'short', day: 'numeric', month: 'short' }),
    full: time({ ...clock, second: '2-digit', day: 'numeric', month: 'short', year: 'numeric' }),
    date: time({ year: 'numeric', month: '2-digit', day: '2-digit' }, 'en-CA'),
    duration(value) {
      if (value < 1000) return ms(value)
      if (value < 60_000) return s(value / 1000)
      const seconds = Math.round(value / 1000)
      const rest = seconds % 60
      return rest ? `${min((seconds - rest) / 60)} ${s(rest)}` : min(seconds / 60)
    },
    country(code) {
      return /^[A-Za-z]{2}$/.test(code) ? (regions.of(code.toUpperCase()) ?? code) : code
    },
  }
}
