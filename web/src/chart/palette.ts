import { useMemo } from 'react'

import { useTheme } from '../theme'

/** The colours that charts are drawn in; a canvas cannot use CSS variables. */
export interface Palette {
  surface: string
  ink: string
  muted: string
  line: string
  stroke: string
  before: string
}

function read(): Palette {
  const probe = document.createElement('i')
  document.body.append(probe)
  const colour = (name: string) => {
    probe.style.color = `var(${name})`
    return getComputedStyle(probe).color
  }
  const palette = {
    surface: colour('--surface'),
    ink: colour('--ink'),
    muted: colour('--muted'),
    line: colour('--line'),
    stroke: colour('--chart'),
    before: colour('--chart-before'),
  }
  probe.remove()
  return palette
}

export function usePalette(): Palette {
  const { theme } = useTheme()
  // oxlint-disable-next-line react/exhaustive-deps -- the colours that read() finds follow the theme
  return useMemo(read, [theme])
}
