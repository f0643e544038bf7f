import { useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'

import { Answer } from '../../ui/Answer'
import { Badge } from '../../ui/Badge'
import { Button } from '../../ui/Button'
import { Card } from '../../ui/Card'
import { Field } from '../../ui/Field'
import { Row, Rows } from '../../ui/Rows'
import { SkeletonRows } from '../../ui/Skeleton'
import { Time } from '../../ui/Time'
import { adminsQuery, usersQuery, type Account } from '../api'
import { t } from '../texts'
import { UserActs } from './UserActs'

/** So many fit on a screen: more get a field to find one. */
const FEW = 8

const has = (user: Account, text: string) => `${user.name} ${user.email}`.toLowerCase().includes(text.toLowerCase())

export function UserList() {
  const users = useQuery(usersQuery)
  const { data: admins } = useQuery(adminsQuery)
  const { find = '', user: open } = useSearch({ from: '/app/settings/users' })
  const navigate = useNavigate({ from: '/settings/users' })
  const owner = admins?.find((a) => a.owner)?.id
  return (
    <Card title={t.users.list} note={users.data && String(users.data.length)}>
      <Answer query={users} skeleton={<SkeletonRows rows={4} />}>
        {(all) => (
          <div className="grid gap-4">
            {(all.length > FEW || find) && (
              <Field
                label={t.users.find}
                type="search"
                defaultValue={find}
                onChange={(e) => void navigate({ search: (s) => ({ ...s, find: e.target.value || undefined }), replace: true })}
              />
            )}
            <Rows label={t.users.list}>
              {all.filter((user) => has(user, find)).map((user) => (
                <UserRow
                  key={user.id}
                  user={user}
                  owner={user.id === owner}
                  open={user.id === open}
                  toggle={() => void navigate({ search: (s) => ({ ...s, user: user.id === open ? undefined : user.id }) })}
                />
              ))}
            </Rows>
          </div>
        )}
      </Answer>
    </Card>
  )
}

function UserRow({ user, owner, open, toggle }: { user: Account; owner: boolean; open: boolean; toggle: () => void }) {
  return (
    <Row
      faded={!user.active}
      title={
        <>
          {user.name}
          {owner ? <Badge look="accent">{t.users.owner}</Badge> : user.admin && <Badge look="accent">{t.users.admin}</Badge>}
          {user.second_factor && <Badge>{t.users.factor}</Badge>}
          {!user.active && <Badge look="bad">{t.users.inactive}</Badge>}
        </>
      }
      facts={
        <>
          <span>{user.email}</span>
          <span>
            {t.users.since} <Time at={user.created_at} to="date" />
          </span>
        </>
      }
      actions={
        <Button aria-expanded={open} aria-label={t.users.manageWho(user.email)} onClick={toggle}>
          {t.users.manage}
        </Button>
      }
    >
      {open && <UserActs user={user} owner={owner} />}
    </Row>
  )
}
