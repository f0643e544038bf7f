import { useQuery } from '@tanstack/react-query'
import { useNavigate, useParams } from '@tanstack/react-router'

import { projectsQuery } from '../api/session'
import { m } from '../messages'
import { Icon } from '../ui/Icon'

/** The project's name; a choice when there are several. */
export function ProjectSwitcher() {
  const { data: projects = [] } = useQuery(projectsQuery)
  const { projectId } = useParams({ strict: false })
  const navigate = useNavigate()
  const current = projects.find((p) => p.id === projectId)
  if (!current) return null
  if (projects.length === 1) return <span className="min-w-0 truncate font-medium">{current.name}</span>
  return (
    <div className="relative min-w-0">
      <select
        aria-label={m.project.switch}
        value={current.id}
        onChange={(e) => void navigate({ to: '/p/$projectId', params: { projectId: e.target.value } })}
        className="h-9 w-full max-w-56 cursor-pointer appearance-none truncate rounded-lg bg-transparent pr-8 pl-2 font-medium hover:bg-sunken"
      >
        {projects.map((p) => (
          <option key={p.id} value={p.id} className="bg-surface text-ink">
            {p.name}
          </option>
        ))}
      </select>
      <Icon name="chevron" className="pointer-events-none absolute top-2.5 right-2 size-4 text-muted" />
    </div>
  )
}
