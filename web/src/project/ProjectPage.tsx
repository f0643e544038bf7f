import { useQuery } from '@tanstack/react-query'
import { useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { useEffect, useMemo } from 'react'

import { projectsQuery } from '../api/session'
import { overviewQuery, recentQuery } from '../api/stats'
import { makeFormat } from '../format'
import { FormatContext } from '../formatContext'
import { LiveProvider, pace, useLive } from '../live/Live'
import { m } from '../messages'
import { NotFoundPage } from '../shell/ErrorPage'
import { FirstEvent } from './FirstEvent'
import { NowCard } from './NowCard'
import { OverTime, type OverTimeView } from './OverTime'
import { DEFAULT_PERIOD } from './period'
import { RecentEvents } from './RecentEvents'
import { TodayCard } from './TodayCard'
import { ProjectContext, useProject } from './useProject'

/** How often the counters are asked for while the stream is open, milliseconds. */
const OVERVIEW_MS = 2000

export function ProjectPage() {
  const { projectId } = useParams({ from: '/app/p/$projectId' })
  const { data: projects } = useQuery(projectsQuery)
  const project = projects?.find((p) => p.id === projectId)
  const timezone = project?.timezone ?? 'UTC'
  const format = useMemo(() => makeFormat(timezone), [timezone])

  useEffect(() => {
    document.title = project ? `${project.name} · ${m.product}` : m.product
  }, [project])

  if (!project) return <NotFoundPage text={m.error.noProject} />
  return (
    <ProjectContext value={project}>
      <FormatContext value={format}>
        <LiveProvider key={project.id} project={project.id}>
          <main id="content" tabIndex={-1} className="mx-auto max-w-[90rem] px-4 py-5 outline-none sm:px-8 sm:py-7">
            <h1 className="sr-only">{project.name}</h1>
            <Body />
          </main>
        </LiveProvider>
      </FormatContext>
    </ProjectContext>
  )
}

function Body() {
  const { id, role } = useProject()
  const { moment } = useLive()
  const seesPeople = role !== 'viewer' // a viewer has no list of events
  const overview = useQuery({ ...overviewQuery(id), refetchInterval: pace(moment.state, OVERVIEW_MS) })
  const recent = useQuery({ ...recentQuery(id), enabled: seesPeople, refetchInterval: pace(moment.state, false) })

  const silent = recent.data?.length === 0 && moment.streamed.length === 0 && overview.data?.today.events === 0
  if (silent) return <FirstEvent />
  return (
    <div className="grid gap-4 sm:gap-5">
      <NowCard overview={overview} />
      <div className="grid gap-4 sm:gap-5 lg:grid-cols-3">
        {seesPeople && <RecentEvents query={recent} />}
        <TodayCard query={overview} />
      </div>
      <OverTimeOfAddress />
    </div>
  )
}

/** OverTime with its period and bot filter in the address. */
function OverTimeOfAddress() {
  const { period = DEFAULT_PERIOD, nobots = false } = useSearch({ from: '/app/p/$projectId' })
  const navigate = useNavigate({ from: '/p/$projectId' })
  const show = (next: OverTimeView) =>
    void navigate({
      search: {
        ...(next.period === DEFAULT_PERIOD ? {} : { period: next.period }),
        ...(next.nobots ? { nobots: true } : {}),
      },
      resetScroll: false,
    })
  return <OverTime view={{ period, nobots }} onView={show} />
}
