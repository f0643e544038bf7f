import { expect, it } from 'vitest'

import { linesOf } from './lines'

it('finds the lines of a text', () => {
  expect(linesOf(' shop.example\r\n\nlocalhost:3000, *.shop.example\n')).toEqual(['shop.example', 'localhost:3000', '*.shop.example'])
  expect(linesOf('Acme, the monitor\n\nWarmer', '\n')).toEqual(['Acme, the monitor', 'Warmer'])
  expect(linesOf('')).toEqual([])
})
