import { useQuery } from '@tanstack/react-query'

import { answer, api } from '../../api/client'
import { Answer } from '../../ui/Answer'
import { Badge } from '../../ui/Badge'
import { Card } from '../../ui/Card'
import { Row, Rows } from '../../ui/Rows'
import { SkeletonRows } from '../../ui/Skeleton'
import { signInQuery } from '../api'
import { Ask } from '../Ask'
import { t } from '../texts'

/** How people sign in. */
export function SignInCard() {
  const query = useQuery(signInQuery)
  return (
    <Card title={t.signIn.title}>
      <Answer query={query} skeleton={<SkeletonRows rows={2} />}>
        {({ require_second_factor: required, provider, no_passwords: noPasswords }) => (
          <Rows label={t.signIn.title}>
            <Row
              title={
                <>
                  {t.signIn.factor} <Badge look={required ? 'accent' : 'plain'}>{required ? t.signIn.required : t.signIn.optional}</Badge>
                </>
              }
              facts={t.signIn.factorText}
              actions={
                <Ask
                  label={required ? t.signIn.release : t.signIn.require}
                  title={required ? t.signIn.releaseTitle : t.signIn.requireTitle}
                  text={required ? t.signIn.releaseText : t.signIn.requireText}
                  verb={required ? t.signIn.release : t.signIn.require}
                  mild
                  run={() => answer(api.PATCH('/api/admin/sign-in', { body: { require_second_factor: !required } }))}
                  keys={[signInQuery.queryKey]}
                />
              }
            />
            <Row
              title={
                <>
                  {t.signIn.provider} <Badge look={provider ? 'accent' : 'plain'}>{provider ? provider.name : t.signIn.noProvider}</Badge>
                  {noPasswords && <Badge>{t.signIn.noPasswords}</Badge>}
                </>
              }
              facts={t.signIn.providerText}
            />
          </Rows>
        )}
      </Answer>
    </Card>
  )
}
