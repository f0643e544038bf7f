import type { ChartOption } from './echarts'
import type { Palette } from './palette'

export interface AreaPoint {
  time: string
  /** null where there is nothing to draw yet. */
  value: number | null
  /** The value at the same place of the stretch before. */
  before?: number | null
  beforeTime?: string
}

export interface AreaChart {
  points: AreaPoint[]
  /** Index of the point that is still growing; it hangs on a dashed line. -1 for none. */
  open: number
  palette: Palette
  axis: {
    label(time: string): string
    /** Whether the point is labelled on the axis. */
    show(time: string, index: number): boolean
  }
  value: { axis(n: number): string; tip(n: number): string }
  tip: { title(point: AreaPoint, index: number): string; name: string; before: string }
}

const FONT = 'Figtree Variable, sans-serif'

/** A stroke colour made translucent; CSS computes colours as rgb(r, g, b). */
const fade = (colour: string, alpha: number) =>
  colour.replace(/^rgba?\(([^)]+)\)$/, (_, rgb: string) => {
    const [r, g, b] = rgb.split(/[ ,/]+/)
    return `rgba(${r}, ${g}, ${b}, ${alpha})`
  })

/** A line over a filled area, the stretch before as a thin dashed line. */
export function areaOption(chart: AreaChart): ChartOption {
  const { points, open, palette } = chart
  const closed = points.map((p, i) => (open >= 0 && i >= open ? null : p.value))
  const growing = points.map((p, i) => (open >= 0 && (i === open || i === open - 1) ? p.value : null))
  const line = { type: 'line', showSymbol: false, symbol: 'circle', animation: false, silent: true } as const
  const highlight = { emphasis: { disabled: true } } as const

  return {
    animation: false,
    grid: { left: 46, right: 14, top: 12, bottom: 26 },
    xAxis: {
      type: 'category',
      boundaryGap: false,
      data: points.map((p) => p.time),
      axisLine: { lineStyle: { color: palette.line } },
      axisTick: { show: false },
      axisLabel: {
        color: palette.muted,
        fontFamily: FONT,
        fontSize: 12,
        margin: 10,
        hideOverlap: true,
        interval: (i: number, time: string) => chart.axis.show(time, i),
        formatter: (time: string) => chart.axis.label(time),
      },
    },
    yAxis: {
      type: 'value',
      min: 0,
      minInterval: 1,
      splitNumber: 3,
      splitLine: { lineStyle: { color: palette.line } },
      axisLabel: {
        color: palette.muted,
        fontFamily: FONT,
        fontSize: 12,
        formatter: (n: number) => chart.value.axis(n),
      },
    },
    tooltip: {
      trigger: 'axis',
      className: 'chart-tip',
      confine: true,
      transitionDuration: 0,
      backgroundColor: palette.surface,
      borderColor: palette.line,
      padding: [8, 12],
      textStyle: { color: palette.ink, fontSize: 13, fontFamily: FONT },
      axisPointer: { type: 'line', lineStyle: { color: palette.before, type: 'solid' } },
      formatter: (params: unknown) => tip(chart, (params as { dataIndex: number }[])[0]?.dataIndex ?? 0),
    },
    series: [
      {
        ...line,
        ...highlight,
        id: 'before',
        data: points.map((p) => p.before ?? null),
        itemStyle: { color: palette.before },
        lineStyle: { color: palette.before, width: 1.25, type: [3, 4] },
      },
      {
        ...line,
        ...highlight,
        id: 'closed',
        data: closed,
        itemStyle: { color: palette.stroke },
        lineStyle: { color: palette.stroke, width: 2, join: 'round' },
        areaStyle: {
          color: {
            type: 'linear',
            x: 0,
            y: 0,
            x2: 0,
            y2: 1,
            colorStops: [
              { offset: 0, color: fade(palette.stroke, 0.28) },
              { offset: 1, color: fade(palette.stroke, 0.02) },
            ],
          },
        },
      },
      {
        ...line,
        ...highlight,
        id: 'growing',
        data: growing.map((value, i) => (i === open ? { value, symbolSize: 7 } : { value, symbolSize: 0 })),
        showSymbol: true,
        itemStyle: { color: palette.stroke },
        lineStyle: { color: palette.stroke, width: 2, type: [3, 4] },
      },
    ],
  }
}

/** Built as elements: a string of HTML with styles would break the Content-Security-Policy. */
function tip(chart: AreaChart, index: number): HTMLElement {
  const box = document.createElement('div')
  const point = chart.points[index]
  if (!point) return box
  const title = document.createElement('div')
  title.textContent = chart.tip.title(point, index)
  const list = document.createElement('dl')
  const row = (name: string, value: number | null | undefined) => {
    if (value === null || value === undefined) return
    const term = document.createElement('dt')
    term.textContent = name
    const number = document.createElement('dd')
    number.textContent = chart.value.tip(value)
    list.append(term, number)
  }
  row(chart.tip.name, point.value)
  row(chart.tip.before, point.before)
  box.append(title, list)
  return box
}
