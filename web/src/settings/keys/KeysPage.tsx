import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'

import { Answer } from '../../ui/Answer'
import { Card } from '../../ui/Card'
import { Rows } from '../../ui/Rows'
import { SkeletonRows } from '../../ui/Skeleton'
import { keysQuery } from '../api'
import { Page } from '../Page'
import { ShownOnce } from '../ShownOnce'
import { t } from '../texts'
import { useProject } from '../useProject'
import { KeyRow } from './KeyRow'
import { NewKey } from './NewKey'

export function KeysPage() {
  const { id } = useProject()
  const keys = useQuery(keysQuery(id))
  const [made, setMade] = useState<string>()
  return (
    <Page title={t.keys.title} intro={t.keys.intro}>
      {made && <ShownOnce title={t.keys.made} text={t.keys.madeText} secret={made} onClose={() => setMade(undefined)} />}
      <Card title={t.keys.list}>
        <Answer query={keys} skeleton={<SkeletonRows rows={2} />} empty={{ when: (all) => all.length === 0, text: t.keys.none }}>
          {(all) => (
            <Rows label={t.keys.list}>
              {all.map((key) => (
                <KeyRow key={key.id} project={id} writeKey={key} now={keys.dataUpdatedAt} onMade={setMade} />
              ))}
            </Rows>
          )}
        </Answer>
      </Card>
      <NewKey key={id} project={id} onMade={setMade} />
    </Page>
  )
}
