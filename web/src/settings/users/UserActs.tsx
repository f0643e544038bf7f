import { useSuspenseQuery } from '@tanstack/react-query'
import { useState } from 'react'

import { answer, api, type Schemas } from '../../api/client'
import { sessionQuery } from '../../api/session'
import { adminsQuery, usersQuery, type Account } from '../api'
import { Ask } from '../Ask'
import { ShownOnce } from '../ShownOnce'
import { t } from '../texts'

const keys = [usersQuery.queryKey, adminsQuery.queryKey]

/** What an administrator may do to an account. */
export function UserActs({ user, owner }: { user: Account; owner: boolean }) {
  const { data: session } = useSuspenseQuery(sessionQuery)
  const { data: admins } = useSuspenseQuery(adminsQuery)
  const [link, setLink] = useState<Schemas['LinkBody']>()
  const params = { path: { user: user.id } }
  const self = session.user?.id === user.id
  const iOwn = admins.some((a) => a.owner && a.id === session.user?.id)
  return (
    <div className="mt-3 grid gap-3">
      <div className="flex flex-wrap gap-2">
        {user.active && (
          <Ask
            label={t.users.reset}
            title={t.users.resetTitle(user.email)}
            text={t.users.resetText}
            verb={t.users.reset}
            mild
            run={() => answer(api.POST('/api/admin/users/{user}/reset', { params }))}
            done={setLink}
          />
        )}
        <Ask
          label={t.users.signOut}
          title={t.users.signOutTitle(user.email)}
          text={t.users.signOutText}
          verb={t.users.signOut}
          run={() => answer(api.DELETE('/api/admin/users/{user}/sessions', { params }))}
          keys={self ? [sessionQuery.queryKey, ...keys] : keys}
        />
        {user.second_factor && (
          <Ask
            label={t.users.resetFactor}
            title={t.users.resetFactorTitle(user.email)}
            text={t.users.resetFactorText}
            verb={t.users.resetFactor}
            run={() => answer(api.DELETE('/api/admin/users/{user}/totp', { params }))}
            keys={keys}
          />
        )}
        {!user.admin && user.active && (
          <Ask
            label={t.users.makeAdmin}
            title={t.users.makeAdminTitle(user.email)}
            text={t.users.makeAdminText}
            verb={t.users.makeAdmin}
            mild
            run={() => answer(api.POST('/api/v1/admins', { body: { email: user.email } }))}
            keys={keys}
          />
        )}
        {user.admin && !owner && (
          <Ask
            label={t.users.unmakeAdmin}
            title={t.users.unmakeAdminTitle(user.email)}
            text={t.users.unmakeAdminText}
            verb={t.users.unmakeAdmin}
            run={() => answer(api.DELETE('/api/v1/admins/{user}', { params }))}
            keys={self ? [sessionQuery.queryKey, ...keys] : keys}
          />
        )}
        {user.admin && iOwn && !owner && user.active && (
          <Ask
            label={t.users.handOver}
            title={t.users.handOverTitle(user.email)}
            text={t.users.handOverText}
            verb={t.users.handOver}
            run={() => answer(api.POST('/api/v1/admins/{user}/owner', { params }))}
            keys={keys}
          />
        )}
        {!owner && (
          <Ask
            label={user.active ? t.users.deactivate : t.users.activate}
            title={user.active ? t.users.deactivateTitle(user.email) : t.users.activateTitle(user.email)}
            text={user.active ? t.users.deactivateText : t.users.activateText}
            verb={user.active ? t.users.deactivate : t.users.activate}
            mild={!user.active}
            run={() => answer(api.PATCH('/api/admin/users/{user}', { params, body: { active: !user.active } }))}
            keys={self ? [sessionQuery.queryKey, ...keys] : keys}
          />
        )}
      </div>
      {link && (
        <ShownOnce
          title={t.users.resetMade}
          text={link.mailed ? t.users.resetMailed : t.users.resetNotMailed}
          secret={link.url}
          onClose={() => setLink(undefined)}
        />
      )}
    </div>
  )
}
