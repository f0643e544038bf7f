import { useSuspenseQuery } from '@tanstack/react-query'

import { sessionQuery } from '../../api/session'
import { chooseLanguage, languages, type Language } from '../../language'
import { locale } from '../../messages'
import { Card } from '../../ui/Card'
import { Segmented } from '../../ui/Segmented'
import { Page } from '../Page'
import { t } from '../texts'
import { FactorCard } from './FactorCard'
import { PasswordCard } from './PasswordCard'
import { SessionsCard } from './SessionsCard'

export function AccountPage() {
  const { data: session } = useSuspenseQuery(sessionQuery)
  const user = session.user
  if (!user) return null // signed out: the router goes to the sign-in page
  return (
    <Page title={t.account.title}>
      <Card title={t.account.profile}>
        <dl className="grid grid-cols-[7rem_1fr] gap-y-2 text-sm">
          <dt className="text-muted">{t.account.name}</dt>
          <dd className="wrap-anywhere">{user.name}</dd>
          <dt className="text-muted">{t.account.email}</dt>
          <dd className="wrap-anywhere">{user.email}</dd>
          {user.admin && (
            <>
              <dt className="text-muted">{t.account.rights}</dt>
              <dd>{t.account.admin}</dd>
            </>
          )}
        </dl>
        <div className="mt-4 flex flex-wrap items-center gap-3 border-t border-line pt-4">
          <span className="text-sm text-muted" aria-hidden="true">{t.account.language}</span>
          <Segmented label={t.account.language} options={Object.keys(languages) as Language[]} names={languages} value={locale} onChange={chooseLanguage} />
        </div>
      </Card>
      <PasswordCard email={user.email} />
      <FactorCard on={user.second_factor} />
      <SessionsCard />
    </Page>
  )
}
