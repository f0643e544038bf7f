import { m } from '../messages'
import { Command } from '../ui/Command'
import { Notice } from './ErrorPage'

const zone = new Intl.DateTimeFormat().resolvedOptions().timeZone

export function NoProjectPage() {
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
