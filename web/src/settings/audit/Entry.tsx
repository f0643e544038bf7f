import { useQuery } from '@tanstack/react-query'

import type { Schemas } from '../../api/client'
import { projectsQuery } from '../../api/session'
import { Badge } from '../../ui/Badge'
import { Row } from '../../ui/Rows'
import { Time } from '../../ui/Time'
import { t } from '../texts'

interface Props {
  entry: Schemas['AuditBody']
  /** The addresses of people by their ids. */
  names: ReadonlyMap<string, string>
  inProject: boolean
}

/** Who did what, to what, when and from where. */
export function Entry({ entry, names, inProject }: Props) {
  const acts: Record<string, string> = t.audit.acts
  const details: Record<string, string> = t.audit.details
  const { data: projects = [] } = useQuery(projectsQuery)
  const project = entry.project && (projects.find((p) => p.id === entry.project)?.name ?? entry.project)
  const target = entry.target && entry.target !== entry.project ? (names.get(entry.target) ?? entry.target) : undefined
  return (
    <Row
      title={
        <>
          {Object.hasOwn(acts, entry.act) ? acts[entry.act] : entry.act}
          {entry.refused && <Badge look="bad">{t.audit.refused}</Badge>}
        </>
      }
      facts={
        <>
          <span className="text-ink">{entry.name ?? t.audit.stranger}</span>
          {!inProject && project && <span>{project}</span>}
          {target && <span title={entry.target}>{target}</span>}
          {Object.entries(entry.detail ?? {}).map(([name, value]) => (
            <span key={name}>
              {Object.hasOwn(details, name) ? details[name] : name.replaceAll('_', ' ')}: {value}
            </span>
          ))}
          <span title={entry.request_id}>{[t.audit.via[entry.via], entry.address].filter(Boolean).join(' · ')}</span>
        </>
      }
      actions={
        <span className="text-sm text-muted">
          <Time at={entry.at} />
        </span>
      }
    />
  )
}
