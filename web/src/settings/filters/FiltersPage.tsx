import { Page } from '../Page'
import { t } from '../texts'
import { useProject } from '../useProject'
import { AddressesCard } from './AddressesCard'
import { BotsCard } from './BotsCard'

export function FiltersPage() {
  const { id } = useProject()
  return (
    <Page title={t.filters.title} intro={t.filters.intro}>
      <AddressesCard key={`addresses ${id}`} />
      <BotsCard key={`bots ${id}`} />
    </Page>
  )
}
