import { describe, expect, it } from 'vitest'

import { hashPath, matches } from './pages.ts'

describe('hashPath', () => {
  it.each([
    ['/', '/'],
    ['/#', '/'],
    ['/#/', '/'],
    ['/#/users', '/users'],
    ['/#!/users/7?tab=a', '/users/7'],
    ['/app/#/users', '/app/users'],
    ['/app?x=1#details', '/app/details'],
  ])('counts %s as %s', (address, path) => {
    expect(hashPath(new URL(address, 'https://shop.example'))).toBe(path)
  })
})

describe('matches', () => {
  it.each([
    [undefined, '/', false],
    ['', '/', false],
    ['/admin', '/admin', true],
    ['/admin', '/admin/users', false],
    ['/admin', '/my/admin', false],
    ['/admin/*', '/admin/users', true],
    ['/admin/*', '/admin/users/7', false],
    ['/admin/**', '/admin/users/7', true],
    ['/*/edit', '/posts/edit', true],
    ['/*/edit', '/posts/7/edit', false],
    ['**.pdf', '/files/a.pdf', true],
    ['**.pdf', '/files/a-pdf', false],
    ['/a(b)[c]+$', '/a(b)[c]+$', true],
    ['/a, /b/*', '/b/c', true],
  ])('%s on %s is %s', (globs, path, is) => {
    expect(matches(globs, path)).toBe(is)
  })
})
