import { Page } from '../Page'
import { t } from '../texts'
import { useProject } from '../useProject'
import { RetentionCard } from './RetentionCard'
import { SitesCard } from './SitesCard'
import { UrlRulesCard } from './UrlRulesCard'

export function DataPage() {
  const { id } = useProject()
  return (
    <Page title={t.data.title}>
      <SitesCard key={`sites ${id}`} />
      <UrlRulesCard key={`rules ${id}`} />
      <RetentionCard key={`retention ${id}`} />
    </Page>
  )
}
