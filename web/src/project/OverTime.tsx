import { useMemo } from 'react'

import type { Stretch } from '../api/insight'
import { m } from '../messages'
import { Segmented } from '../ui/Segmented'
import { Switch } from '../ui/Switch'
import { BreakdownCard } from './BreakdownCard'
import { GrowthCards } from './GrowthCards'
import { PagesCard } from './PagesCard'
import { periods, wordOf, type Period } from './period'
import { RoutesCard } from './RoutesCard'
import { useProject } from './useProject'

/** Which days the cards show, and whether with bots. */
export interface OverTimeView {
  period: Period
  nobots: boolean
}

/** The cards over some days. */
export function OverTime({ view, onView }: { view: OverTimeView; onView(view: OverTimeView): void }) {
  const { role } = useProject()
  const { period, nobots } = view
  const stretch: Stretch = useMemo(
    () => ({ from: wordOf[period], filter: nobots ? [{ column: 'bot', op: '=', value: 'false' }] : [] }),
    [period, nobots],
  )

  return (
    <>
      <div className="mt-5 flex flex-wrap items-center justify-between gap-3">
        <h2 className="text-xl font-semibold tracking-tight">{m.period.title}</h2>
        <div className="flex flex-wrap items-center gap-x-5 gap-y-3">
          <Switch label={m.period.noBots} checked={nobots} onChange={(on) => onView({ period, nobots: on })} />
          <Segmented
            label={m.period.label}
            options={periods}
            names={m.period.names}
            value={period}
            onChange={(next) => onView({ period: next, nobots })}
          />
        </div>
      </div>
      <GrowthCards stretch={stretch} period={period} />
      <div className="grid gap-4 sm:gap-5 lg:grid-cols-2 xl:grid-cols-6">
        <PagesCard stretch={stretch} />
        <BreakdownCard title={m.breakdown.source} columns={['channel', 'referrer']} stretch={stretch} className="xl:col-span-2" />
        <BreakdownCard title={m.breakdown.place} columns={['country', 'city']} stretch={stretch} className="xl:col-span-3" />
        <BreakdownCard
          title={m.breakdown.client}
          columns={['browser', 'os', 'device_type']}
          stretch={stretch}
          className="xl:col-span-3"
        />
        <RoutesCard stretch={stretch} />
        <BreakdownCard
          title={m.breakdown.call}
          columns={role === 'reader' ? ['status', 'method'] : ['status', 'method', 'consumer']}
          event="api_call"
          stretch={stretch}
          className="lg:col-span-2"
        />
      </div>
    </>
  )
}
