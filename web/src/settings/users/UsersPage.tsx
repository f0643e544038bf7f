import { Invitations } from '../members/Invitations'
import { Invite } from '../members/Invite'
import { Page } from '../Page'
import { t } from '../texts'
import { SignInCard } from './SignInCard'
import { UserList } from './UserList'

export function UsersPage() {
  return (
    <Page title={t.users.title} intro={t.users.intro}>
      <UserList />
      <Invite />
      <Invitations />
      <SignInCard />
    </Page>
  )
}
