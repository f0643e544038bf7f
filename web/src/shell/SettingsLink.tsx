import { useQuery } from '@tanstack/react-query'
import { createLink, useParams, useSearch } from '@tanstack/react-router'

import { projectsQuery } from '../api/session'
import { m } from '../messages'
import { IconLink } from '../ui/Button'

const Gear = createLink(IconLink)

/** Leads to the settings: of the project for who may change them, otherwise to one's own. */
export function SettingsLink() {
  const { projectId } = useParams({ strict: false })
  const { project: remembered } = useSearch({ strict: false })
  const { data: projects = [] } = useQuery(projectsQuery)
  const project = projects.find((p) => p.id === (projectId ?? remembered))
  const label = { icon: 'gear', label: m.account.settings } as const
  if (project?.role === 'admin') return <Gear {...label} to="/p/$projectId/settings/general" params={{ projectId: project.id }} />
  return <Gear {...label} to="/settings/account" search={project ? { project: project.id } : {}} />
}
