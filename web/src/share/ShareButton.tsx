import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { useState } from 'react'

import { projectsQuery } from '../api/session'
import { m } from '../messages'
import { IconButton } from '../ui/Button'
import { ShareDialog } from './ShareDialog'

/** Opens the shared links of the project that is shown, for those who may make some. */
export function ShareButton() {
  const { data: projects } = useQuery(projectsQuery)
  const { projectId } = useParams({ strict: false })
  const [open, setOpen] = useState(false)
  const project = projects?.find((p) => p.id === projectId)
  if (!project || project.role === 'viewer') return null
  return (
    <>
      <IconButton icon="share" label={m.share.title} onClick={() => setOpen(true)} />
      {open && <ShareDialog project={project} onClose={() => setOpen(false)} />}
    </>
  )
}
