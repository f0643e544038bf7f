import { createContext, useContext } from 'react'

import type { Project } from '../api/types'

/** What of a project its page needs. Readers of a shared link have no role in it. */
export type ShownProject = Pick<Project, 'id' | 'name' | 'timezone'> & { role: Project['role'] | 'reader' }

export const ProjectContext = createContext<ShownProject | null>(null)

/** The project that the page shows. */
export function useProject(): ShownProject {
  const project = useContext(ProjectContext)
  if (!project) throw new Error('useProject outside of a project’s page')
  return project
}
