import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useRouter } from '@tanstack/react-router'

import { answer, api, type Schemas } from '../../api/client'
import { useFormat } from '../../formatContext'
import { m } from '../../messages'
import { Answer } from '../../ui/Answer'
import { Badge } from '../../ui/Badge'
import { Card } from '../../ui/Card'
import { Row, Rows } from '../../ui/Rows'
import { SkeletonRows } from '../../ui/Skeleton'
import { Time } from '../../ui/Time'
import { loginsQuery } from '../api'
import { Ask } from '../Ask'
import { t } from '../texts'

/** Where one is signed in. */
export function SessionsCard() {
  const logins = useQuery(loginsQuery)
  const queries = useQueryClient()
  const router = useRouter()
  const left = async () => {
    queries.clear()
    await router.navigate({ to: '/login' })
  }
  return (
    <Card
      title={t.sessions.title}
      aside={
        <Ask
          label={t.sessions.endAll}
          title={t.sessions.endAllTitle}
          text={t.sessions.endAllText}
          verb={t.sessions.endAll}
          run={() => answer(api.DELETE('/api/v1/account/sessions'))}
          done={() => void left()}
        />
      }
    >
      <Answer query={logins} skeleton={<SkeletonRows rows={3} />}>
        {(all) => (
          <Rows label={t.sessions.title}>
            {all.map((login) => (
              <Session key={login.id} login={login} />
            ))}
          </Rows>
        )}
      </Answer>
    </Card>
  )
}

function Session({ login }: { login: Schemas['LoginBody'] }) {
  const format = useFormat()
  const device = login.device || t.sessions.unknownDevice
  const place = [login.country && format.country(login.country), login.network].filter(Boolean).join(' · ')
  return (
    <Row
      title={
        <>
          {device} {login.current && <Badge look="accent">{t.sessions.current}</Badge>}
        </>
      }
      facts={
        <>
          <span>{place || m.unknown}</span>
          <span>
            {t.sessions.used} <Time at={login.used_at} />
          </span>
          <span>
            {t.sessions.began} <Time at={login.created_at} to="date" />
          </span>
        </>
      }
      actions={
        !login.current && (
          <Ask
            label={t.sessions.end}
            title={t.sessions.endTitle(device)}
            text={t.sessions.endText}
            verb={t.sessions.end}
            run={() => answer(api.DELETE('/api/v1/account/sessions/{session}', { params: { path: { session: login.id } } }))}
            keys={[loginsQuery.queryKey]}
          />
        )
      }
    />
  )
}
