import { useEffect, useRef } from 'react'

import { init, type ChartOption, type ECharts } from './echarts'

/** Draws an option on a canvas as large as its box. The label is what a screen reader says of it. */
export function Chart({ option, label, className }: { option: ChartOption; label: string; className: string }) {
  const box = useRef<HTMLDivElement>(null)
  const chart = useRef<ECharts>(null)

  useEffect(() => {
    const element = box.current!
    const drawn = init(element, null, { renderer: 'canvas' })
    chart.current = drawn
    const observer = new ResizeObserver(() => drawn.resize())
    observer.observe(element)
    return () => {
      observer.disconnect()
      drawn.dispose()
      chart.current = null
    }
  }, [])

  useEffect(() => {
    chart.current?.setOption(option, { replaceMerge: ['series'] })
  }, [option])

  return <div ref={box} role="img" aria-label={label} className={className} />
}
