import { useQuery } from '@tanstack/react-query'
import { useRouter } from '@tanstack/react-router'
import { useEffect } from 'react'

import { projectsQuery } from '../api/session'
import { m } from '../messages'
import { Command } from '../ui/Command'
import { Notice } from './ErrorPage'

const LOOK_MS = 3000

const zone = new Intl.DateTimeFormat().resolvedOptions().timeZone

/** Shown while there is no project; goes to the first one as soon as it is made. */
export function NoProjectPage() {
  const router = useRouter()
  const { data: projects } = useQuery({ ...projectsQuery, refetchInterval: LOOK_MS })
  useEffect(() => {
    if (projects?.length) void router.invalidate()
  }, [projects, router])

  return (
    <Notice title={m.project.noneTitle} text={m.project.noneText}>
      <Command
        lines={[
          `curl -X POST ${location.origin}/api/v1/projects`,
          `-H 'Authorization: Bearer ADMIN_TOKEN'`,
          `-H 'Content-Type: application/json'`,
          `-d '{"name":"My site","timezone":"${zone}"}'`,
        ]}
      />
    </Notice>
  )
}
