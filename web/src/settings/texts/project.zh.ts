import type { project as en } from './project'

export const project: typeof en = {
  general: { title: '常规', name: '名称', nameLabel: '项目名称', id: '项目编号：' },

  zone: {
    title: '时区',
    text: '每天和每小时按此时区划分。查询会立即使用新时区。小时和每日计数会根据已存储的事件重新统计，最近几天的报告会在一小时内更新。',
    label: '项目时区',
    counting: (percent) => `正在重新统计：${percent}%`,
  },

  remove: {
    title: '删除项目',
    text: '项目的事件、用户、报告、告警、成员、密钥和令牌会从所有存储中删除。您自己的备份不受影响。',
    verb: '删除项目',
    question: (name) => `删除 ${name}？`,
    warning: '其密钥和令牌会立即被拒绝，所有内容都会被删除。此操作无法撤销。',
    phrase: (name) => `请输入 ${name} 以确认`,
  },

  deletions: {
    title: '已删除的项目',
    intro: '项目删除的进度。崩溃或存储不可用只会延迟删除。',
    list: '删除记录',
    none: '没有项目被删除。',
    going: '正在删除',
    gone: '已删除',
    asked: '请求于',
    failed: (why) => `上次尝试失败，将会重试：${why}`,
    steps: {
      waiting: '等待节点',
      drain: '等待已确认的事件',
      cold: '正在从冷存储删除',
      hot: '正在从热存储删除',
      deleted: '已全部删除，迟到的数据也会被删除',
      done: '已全部删除',
    },
  },

  keys: {
    title: '写入密钥',
    intro: '网页和服务器用写入密钥向项目发送事件。它不能读取任何内容。',
    list: '密钥列表',
    none: '没有写入密钥，因此无法发送事件。',
    new: '新建写入密钥',
    origins: '可以使用它的主机',
    originsHint: '每行一个：shop.example、*.shop.example、localhost:3000。留空时，任何持有密钥的人都可以发送。',
    create: '创建密钥',
    made: '您的新写入密钥',
    madeText: '它只显示这一次。请将它配置到发送事件的地方。',
    over: '已失效',
    ending: '即将失效',
    since: '创建于',
    ends: '失效于',
    ended: '已失效于',
    anywhere: '不限主机',
    changeOrigins: '主机',
    rotate: '轮换',
    overlap: '旧密钥继续有效',
    overlapHint: '新密钥将取代它，主机相同。',
    overlaps: (hours) => (hours === 0 ? '立即失效' : hours < 24 ? `${hours} 小时` : `${hours / 24} 天`),
    revoke: '吊销',
    revokeTitle: (name) => `吊销密钥 ${name}？`,
    revokeText: '用它发送的事件从此会被拒绝。此操作无法撤销。',
  },

  data: { title: '站点与数据' },

  sites: {
    title: '站点',
    text: '其他厂商的 SDK 可以用这些名称代替写入密钥：域名或编号。它们不是机密。',
    label: '名称',
    hint: '每行一个。一个名称只能属于服务器上的一个项目。',
  },

  retention: {
    title: '数据保留',
    label: '事件保留天数',
    hint: '0 表示永久保留。',
    question: (days) => `只保留 ${days} 天的事件？`,
    warning: '更早的事件会在一小时内删除。此操作无法撤销。',
    verb: '删除更早的事件',
  },

  urls: {
    title: 'URL 规则',
    text: '规则将多个地址合并为一个页面，例如将 /product/* 合并为 /product/:id。* 匹配一个或多个非斜杠字符，** 匹配任意字符。以第一条匹配的规则为准。已存储的事件保留原路径。',
    slash: '忽略末尾的斜杠',
    lower: '不区分大小写',
    rules: '规则列表',
    from: (n) => `规则 ${n} 的路径`,
    to: (n) => `规则 ${n} 的名称`,
    remove: (n) => `删除规则 ${n}`,
    add: '添加规则',
  },

  limits: {
    title: '限额',
    intro: '可以向项目发送多少。速率留空时使用服务器的设置。',
    set: '限额设置',
    key: '每个写入密钥的事件数',
    keyHint: '例如 1000/s；off 表示不限。',
    ip: '每个地址的请求数',
    ipHint: '例如 600/m；off 表示不限。',
    quota: '每个自然月的事件数',
    quotaHint: '0 表示不限。',
    over: '超出部分',
    overs: { refuse: '拒绝', sample: '抽样保留', flag: '保留并标记' },
    overHints: {
      refuse: '发送方在下个月之前会收到 429。',
      sample: '保留部分设备的全部事件。',
      flag: '不丢失任何事件，并标明哪些超出了限额。',
    },
    sample: '保留的设备百分比',
    sampleHint: '1 到 99。',
  },

  usage: {
    title: '本月用量',
    events: '个事件',
    of: (quota) => `/ ${quota} 个事件`,
    usedUp: '已用尽',
    until: '截至',
    what: {
      refused: (n) => `${n} 个被拒绝`,
      sampled_out: (n) => `${n} 个被抽样舍弃`,
      flagged: (n) => `${n} 个被标记`,
      rate_limited: (n) => `${n} 个因速率被拒绝`,
    },
  },
}
