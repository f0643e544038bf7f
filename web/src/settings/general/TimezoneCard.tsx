import { useQuery } from '@tanstack/react-query'

import { FormError } from '../../account/FormError'
import { projectsQuery } from '../../api/session'
import { Card } from '../../ui/Card'
import { Choice } from '../../ui/Choice'
import { Progress } from '../../ui/Progress'
import { changeProject } from '../api'
import { Send } from '../Buttons'
import { t } from '../texts'
import { useProject } from '../useProject'
import { useSend } from '../useSend'

/** How often the progress of the recount is asked for, milliseconds. */
const LOOK_MS = 2000

/** The browser's list of timezones, with the one that is set. */
const zones = (set: string) => [...new Set(['UTC', set, ...Intl.supportedValuesOf('timeZone')])].toSorted()

/** The timezone, what changes with it, and how far the counters are counted again. */
export function TimezoneCard() {
  const { id, timezone, counters } = useProject()
  const counting = counters.state === 'rebuilding'
  useQuery({ ...projectsQuery, refetchInterval: counting ? LOOK_MS : false })
  const send = useSend({
    fields: ['timezone'],
    send: (f) => changeProject(id, f),
    keys: [projectsQuery.queryKey],
  })
  return (
    <Card title={t.zone.title}>
      <form onSubmit={send.submit} noValidate className="grid gap-4">
        <p className="max-w-2xl text-sm text-muted">{t.zone.text}</p>
        <div className="max-w-sm">
          <Choice label={t.zone.label} name="timezone" defaultValue={timezone} options={zones(timezone).map((z) => [z, z.replaceAll('_', ' ')])} error={send.faults.timezone} />
        </div>
        <FormError error={send.error} />
        <Send pending={send.pending} done={send.done} />
      </form>
      {counting && (
        <div className="mt-4 grid max-w-sm gap-2 border-t border-line pt-4">
          <p className="text-sm">{t.zone.counting(counters.percent)}</p>
          <Progress label={t.zone.counting(counters.percent)} percent={counters.percent} />
        </div>
      )}
    </Card>
  )
}
