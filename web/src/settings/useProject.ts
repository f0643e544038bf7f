import { useSuspenseQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'

import { projectsQuery } from '../api/session'
import type { Project } from '../api/types'

/** The project whose settings are shown. Pages of others are not shown: see SettingsLayout. */
export function useProject(): Project {
  const { projectId } = useParams({ strict: false })
  const { data } = useSuspenseQuery(projectsQuery)
  return data.find((p) => p.id === projectId)!
}
