import { Page } from '../Page'
import { t } from '../texts'
import { useProject } from '../useProject'
import { Invitations } from './Invitations'
import { Invite } from './Invite'
import { MemberList } from './MemberList'

export function MembersPage() {
  const { id } = useProject()
  return (
    <Page title={t.members.title} intro={t.members.intro}>
      <MemberList project={id} />
      <Invite key={id} project={id} />
      <Invitations project={id} />
    </Page>
  )
}
