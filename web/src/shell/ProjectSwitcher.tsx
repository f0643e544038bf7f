import { useQuery } from '@tanstack/react-query'
import { useNavigate, useParams, useSearch } from '@tanstack/react-router'

import { projectsQuery } from '../api/session'
import { m } from '../messages'
import { Icon } from '../ui/Icon'

/** The project's name; a choice when there are several. The page stays the same one, of the other project. */
export function ProjectSwitcher() {
  const { data: projects = [] } = useQuery(projectsQuery)
  const { projectId } = useParams({ strict: false })
  const { project: remembered } = useSearch({ strict: false })
  const navigate = useNavigate()
  const current = projects.find((p) => p.id === (projectId ?? remembered))
  if (!current) return null
  const show = (id: string) =>
    void (projectId ? navigate({ to: '.', params: { projectId: id } }) : navigate({ to: '.', search: { project: id } }))
  return (
    <>
      <span className="h-5 w-px shrink-0 bg-line" aria-hidden="true" />
      {projects.length === 1 ? (
        <span className="min-w-0 truncate font-medium">{current.name}</span>
      ) : (
        <div className="relative min-w-0">
          <select
            aria-label={m.project.switch}
            value={current.id}
            onChange={(e) => show(e.target.value)}
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
      )}
    </>
  )
}
