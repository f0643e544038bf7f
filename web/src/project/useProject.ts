import { createContext, useContext } from 'react'

import type { Project } from '../api/types'

export const ProjectContext = createContext<Project | null>(null)

/** The project that the page shows. */
export function useProject(): Project {
  const project = useContext(ProjectContext)
  if (!project) throw new Error('useProject outside of a project’s page')
  return project
}
