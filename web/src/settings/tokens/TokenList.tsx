import { useQuery } from '@tanstack/react-query'

import { answer, api } from '../../api/client'
import { projectsQuery } from '../../api/session'
import { Answer } from '../../ui/Answer'
import { Badge } from '../../ui/Badge'
import { Card } from '../../ui/Card'
import { Row, Rows } from '../../ui/Rows'
import { SkeletonRows } from '../../ui/Skeleton'
import { Time } from '../../ui/Time'
import { tokensQuery, type Token } from '../api'
import { Ask } from '../Ask'
import { t } from '../texts'
import { isOver } from './expiry'

const revoke = (token: string, project?: string) =>
  project
    ? answer(api.DELETE('/api/v1/projects/{id}/tokens/{token}', { params: { path: { id: project, token } } }))
    : answer(api.DELETE('/api/v1/tokens/{token}', { params: { path: { token } } }))

/** The tokens of a project; without one, your own. */
export function TokenList({ project }: { project?: string }) {
  const tokens = useQuery(tokensQuery(project))
  return (
    <Card title={t.tokens.list}>
      <Answer query={tokens} skeleton={<SkeletonRows rows={3} />} empty={{ when: (all) => all.length === 0, text: t.tokens.none }}>
        {(all) => (
          <Rows label={t.tokens.list}>
            {all.map((token) => (
              <TokenRow key={token.id} token={token} now={tokens.dataUpdatedAt} {...(project ? { project } : {})} />
            ))}
          </Rows>
        )}
      </Answer>
    </Card>
  )
}

function TokenRow({ token, now, project }: { token: Token; now: number; project?: string }) {
  const { data: projects = [] } = useQuery(projectsQuery)
  const over = isOver(token.expires_at, now)
  const only = token.project && (projects.find((p) => p.id === token.project)?.name ?? token.project)
  return (
    <Row
      faded={over}
      title={
        <>
          {token.name}
          {token.scopes.map((scope) => (
            <Badge key={scope}>{t.tokens.scopes[scope]}</Badge>
          ))}
          {over && <Badge look="bad">{t.tokens.over}</Badge>}
        </>
      }
      facts={
        <>
          <code className="font-mono">wt_…{token.last4}</code>
          {!project && <span>{only ?? t.tokens.allProjects}</span>}
          <span>
            {token.expires_at ? (
              <>
                {over ? t.tokens.ended : t.tokens.ends} <Time at={token.expires_at} to="date" />
              </>
            ) : (
              t.tokens.endless
            )}
          </span>
          <span>
            {token.last_used_at ? (
              <>
                {t.tokens.used} <Time at={token.last_used_at} />
              </>
            ) : (
              t.tokens.unused
            )}
          </span>
        </>
      }
      actions={
        <Ask
          label={t.tokens.revoke}
          title={t.tokens.revokeTitle(token.name)}
          text={t.tokens.revokeText}
          verb={t.tokens.revoke}
          run={() => revoke(token.id, project)}
          keys={[tokensQuery(project).queryKey]}
        />
      }
    />
  )
}
