import { expect, it } from 'vitest'

import { checkShare, endsAt, hostsIn } from './form'

it('reads hosts with commas, spaces and lines between them', () => {
  expect(hostsIn(' blog.example, *.shop.example\nlocalhost:3000 ')).toEqual(['blog.example', '*.shop.example', 'localhost:3000'])
  expect(hostsIn(' ')).toEqual([])
})

it('ends a link after days, or never', () => {
  expect(endsAt('never', 0)).toEqual({})
  expect(endsAt('7d', 0)).toEqual({ ends_at: '1970-01-08T00:00:00.000Z' })
})

it('takes no password, or a long one', () => {
  expect(checkShare({ password: '', origins: '' })).toEqual({})
  expect(checkShare({ password: 'a long password', origins: '' })).toEqual({})
  expect(checkShare({ password: 'short', origins: '' })).toHaveProperty('password')
})
