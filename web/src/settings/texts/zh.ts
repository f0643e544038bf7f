import { account } from './account.zh'
import { audit } from './audit.zh'
import type { en } from './en'
import { people } from './people.zh'
import { project } from './project.zh'

export const zh: typeof en = {
  save: '保存',
  saved: '已保存',
  cancel: '取消',
  stored: '我已妥善保存',
  download: '下载',
  number: '请输入整数。',

  notAdmin: { title: '只有项目管理员可以查看', text: '请他们更改设置，或将您设为管理员。' },

  nav: { label: '设置', numbers: '数据', you: '个人', server: '服务器' },

  roles: { viewer: '查看者', editor: '编辑者', admin: '管理员' },

  roleTexts: {
    viewer: '查看者：查看数据',
    editor: '编辑者：还可查看用户、创建告警',
    admin: '管理员：还可更改设置',
  },

  ...account,
  ...people,
  ...audit,
  ...project,
}
