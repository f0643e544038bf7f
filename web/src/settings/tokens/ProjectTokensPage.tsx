import { Page } from '../Page'
import { t } from '../texts'
import { useProject } from '../useProject'
import { NewToken } from './NewToken'
import { TokenList } from './TokenList'

export function ProjectTokensPage() {
  const { id } = useProject()
  return (
    <Page title={t.tokens.title} intro={t.tokens.intro}>
      <TokenList project={id} />
      <NewToken key={id} project={id} />
    </Page>
  )
}
