import { Page } from '../Page'
import { t } from '../texts'
import { NewToken } from './NewToken'
import { TokenList } from './TokenList'

export function OwnTokensPage() {
  return (
    <Page title={t.tokens.ownTitle} intro={t.tokens.ownIntro}>
      <TokenList />
      <NewToken />
    </Page>
  )
}
