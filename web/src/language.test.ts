import { describe, expect, it } from 'vitest'

import { preferred } from './language'
import { m } from './messages'
import { zh } from './messages.zh'
import { en as settings } from './settings/texts/en'
import { zh as settingsZh } from './settings/texts/zh'

describe('preferred', () => {
  it.each([
    [['zh-TW', 'en'], 'zh'],
    [['fr', 'zh-CN'], 'zh'],
    [['en-US', 'zh'], 'en'],
    [['fr'], 'en'],
    [['constructor'], 'en'],
    [[], 'en'],
  ])('of %o is %s', (asked, language) => {
    expect(preferred(asked)).toBe(language)
  })
})

const say = (text: unknown) => (typeof text === 'function' ? text('1', '2', '3', '4') : text)

/** The places of a tree of texts that are the same in both languages. */
function same(a: object, b: object, at = ''): string[] {
  return Object.entries(a).flatMap(([key, text]) => {
    const other = (b as Record<string, unknown>)[key]
    if (typeof text === 'object') return same(text, other as object, `${at}${key}.`)
    return say(text) === say(other) ? [`${at}${key}`] : []
  })
}

it('says everything in Chinese but names and what all languages write alike', () => {
  expect(same(m, zh)).toEqual(['product', 'routes.columns.p95', 'routes.columns.apdex'])
  expect(same(settings, settingsZh)).toEqual([])
})
