import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { useEffect, useMemo, useState } from 'react'

import { ApiError } from '../api/client'
import { sharedQuery, type Shared } from '../api/shares'
import { overviewQuery } from '../api/stats'
import { makeFormat } from '../format'
import { FormatContext } from '../formatContext'
import { LiveProvider, pace, useLive } from '../live/Live'
import { m } from '../messages'
import { NowCard } from '../project/NowCard'
import { OverTime, type OverTimeView } from '../project/OverTime'
import { DEFAULT_PERIOD } from '../project/period'
import { TodayCard } from '../project/TodayCard'
import { ProjectContext, useProject, type ShownProject } from '../project/useProject'
import { Notice } from '../shell/ErrorPage'
import { ThemeToggle } from '../shell/ThemeToggle'
import { reason } from '../ui/Answer'
import { Button } from '../ui/Button'
import { Mark } from '../ui/Logo'
import { PasswordPage } from './PasswordPage'

/** How often the counters are asked for while the stream is open, milliseconds. */
const OVERVIEW_MS = 5000

const hasEnded = (error: unknown) => error instanceof ApiError && error.status === 401

/** What a shared link shows, for its readers: they have no account, and see no people. */
export function SharedPage() {
  const { secret } = useParams({ from: '/share/$secret' })
  const query = useQuery(sharedQuery(secret))
  const { data: shared, error } = query
  const project = shared?.project

  useEffect(() => {
    document.title = project ? `${project.name} · ${m.product}` : m.product
  }, [project])

  if (hasEnded(error)) return <Notice title={m.shared.endedTitle} text={m.shared.endedText}>{null}</Notice>
  if (shared && !project) return <PasswordPage secret={secret} />
  if (shared) return <Shown shared={shared} />
  if (!error) return null
  return (
    <Notice title={m.error.title} text={reason(error)}>
      <Button look="solid" onClick={() => void query.refetch()}>
        {m.retry}
      </Button>
    </Notice>
  )
}

function Shown({ shared }: { shared: Shared }) {
  const { id, name, timezone } = shared.project!
  const format = useMemo(() => makeFormat(timezone), [timezone])
  const project: ShownProject = useMemo(() => ({ id, name, timezone, role: 'reader' }), [id, name, timezone])
  return (
    <ProjectContext value={project}>
      <FormatContext value={format}>
        <LiveProvider key={id} project={id}>
          <header className="mx-auto flex h-14 max-w-[90rem] items-center gap-3 px-4 sm:px-8">
            <Mark className="size-7 shrink-0" />
            <h1 className="truncate text-lg font-semibold tracking-tight">{name}</h1>
            <span className="ml-auto">
              <ThemeToggle />
            </span>
          </header>
          <main className="mx-auto max-w-[90rem] px-4 pb-7 sm:px-8">
            <Body overTime={shared.what === 'overview'} />
          </main>
        </LiveProvider>
      </FormatContext>
    </ProjectContext>
  )
}

function Body({ overTime }: { overTime: boolean }) {
  const { id } = useProject()
  const { moment } = useLive()
  const overview = useQuery({ ...overviewQuery(id), refetchInterval: pace(moment.state, OVERVIEW_MS) })
  const [view, setView] = useState<OverTimeView>({ period: DEFAULT_PERIOD, nobots: false })
  const calls = overview.data === undefined || overview.data.today.calls > 0
  return (
    <div className="grid gap-4 sm:gap-5">
      <NowCard overview={overview} />
      {calls && <TodayCard query={overview} />}
      {overTime && <OverTime view={view} onView={setView} />}
    </div>
  )
}
