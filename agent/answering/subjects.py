"""What of the conversation itself a question is about: how sure, what it costs, how to begin, a cited figure.

A subject is told by its words, and where these may be about anything, by others that say it is this result: “can I use
*it* commercially” is about the recommendation, “which licences allow commercial use” is not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Subject = Literal[
    "more",
    "confidence",
    "assumptions",
    "requirements",
    "winner",
    "evidence",
    "failures",
    "duration",
    "start",
    "licence",
    "cheapest",
    "money",
    "metric",
    "parts",
    "truth",
    "mistakes",
    "gains",
    "contexts",
    "hosting",
    "size",
    "load",
    "still",
]
#: answered from a decision alone: before there is one, they are questions of knowledge like others
OF_A_DECISION: frozenset[Subject] = frozenset(
    {
        "start",
        "licence",
        "cheapest",
        "money",
        "parts",
        "truth",
        "mistakes",
        "gains",
        "contexts",
        "hosting",
        "size",
        "load",
        "still",
    }
)
#: answered at other numbers of documents and queries, where these are supposed
OF_VOLUME: frozenset[Subject | None] = frozenset({"money", "hosting", "size"})
#: words that state as often as they ask: such a message is a question only where it asks
NEEDS_ASKING: frozenset[Subject] = OF_A_DECISION | {"confidence", "duration", "metric"}

_IT = r"(?:this|that|it|(?:the|your) (?:answer|choice|recommendation|result|verdict))"
_WINNER = r"(?:winner|winning|recommended)(?: (?:one|model|candidate|set-?up))?"
#: one model in another's place, which is no question of parts, nor of what runs now
_CHANGED = (
    r"\b(?:migrat|switch|chang|mov|upgrad)(?:e|es|ed|ing|ion)? (?:\w+ ){0,4}?(?:to|for|the) (?:\w+ ){0,2}?"
    r"(?:model|encoder)\b|换(?:成|个|一个|掉|了|到)?(?:另|别的|其他的?|新的?)?(?:一个|个)?(?:向量|嵌入)?模型|迁移"
)
_ID = r"\[?(?<![\w-])E[GMPQRX]?\d{1,5}\]?(?![\w-])"
_IDS = rf"{_ID}(?:(?:\s*(?:,|and|or|&)\s*)+{_ID})*"
_ID_ZH = r"\[?(?<![a-z0-9-])E[GMPQRX]?\d{1,5}\]?(?![a-z0-9-])"
_IDS_ZH = rf"{_ID_ZH}(?:\s*[,，、和与及跟]\s*{_ID_ZH})*"
#: what a question about this result speaks of
_THIS = (
    r"\b(?:it|its|this|that|these|those|the (?:winner|winning|recommended|chosen|best|selected)|your|you|here|"
    r"the (?:\w+ )?(?:model|one|answer|choice|recommendation|results?|verdict|conclusion|decision|numbers|figures))\b"
    r"|[它这该此你]|推荐|胜出|赢家|选出|结[果论]|模型"
)

_PARTS = (
    r"\b(?:short(?:er|est)?|long(?:er|est)?|keyword|english|chinese|german|french|spanish|japanese|korean|russian"
    r"|arabic|portuguese|italian|code|numeric|natural[- ]language|one[- ]word)"
)
_PARTS_ZH = (
    r"(?:中文|汉语|英文|英语|德语|法语|日语|日文|韩语|俄语|短|长|较短|较长|很短|很长|关键词|关键字|代码|编号|数字)"
)


@dataclass(frozen=True)
class _Sign:
    """Words that tell a subject.

    Attributes:
        also: what has to be there too.
        unless: what makes it a question about something else.
    """

    words: re.Pattern[str]
    also: re.Pattern[str] | None = None
    unless: re.Pattern[str] | None = None

    def fits(self, question: str) -> bool:
        if not self.words.search(question):
            return False
        return (self.also is None or bool(self.also.search(question))) and not (
            self.unless and self.unless.search(question)
        )


def _sign(words: str, also: str = "", unless: str = "") -> _Sign:
    made = [re.compile(pattern, re.I) if pattern else None for pattern in (also, unless)]
    return _Sign(re.compile(words, re.I), *made)


_SIGNS: dict[Subject, tuple[_Sign, ...]] = {
    "still": (
        _sign(
            r"\b(?:is|are|would|does|do) (?:it|this|that|they|the (?:\w+ )?(?:model|one|choice|recommendation|winner)"
            r"|bm25|wordllama) still\b|\bstill (?:the )?(?:best|right|valid|up to date|current|hold|a good)"
            r"|\b(?:out of date|outdated|superseded)\b"
            r"|(?:还|仍然?|依然)(?:是|算)?(?:不是)?(?:最好|最佳|最优|最合适|首选|推荐|有效)|过时了?[吗没]|落后了?[吗没]",
            unless=r"\bstill (?:running|waiting|busy|working|there)\b|\bif\b|如果|leader ?board|mteb|榜",
        ),
        _sign(
            r"\b(?:anything|something|any|what(?:'s| is)) (?:new|newer|better)\b.{0,30}\b(?:since|meanwhile|lately"
            r"|recently|released|come out|came out|out there|now)\b"
            r"|\bnew(?:er)? (?:models?|releases?)\b.{0,20}\bsince\b"
            r"|\b(?:re-?check|check (?:it )?again)\b"
            r"|(?:有没有|有什么|出了|出现了?).{0,6}(?:新的?|更好的?)(?:模型)?"
            r"|(?:之后|以来|后来|最近).{0,8}(?:新|更好)|复查|再查一[遍次]",
            unless=r"\bif\b|如果|data|数据",
        ),
    ),
    "contexts": (
        _sign(
            r"\bcontext[- ]?(?:precision|recall)\b|\bfaithful(?:ness|ly)?\b|\banswer relevanc[ey]\b|\bhallucinat\w*"
            r"|\bgrounded(?:ness)?\b|上下文(?:精确率|精度|召回率|召回)|忠实度?|回答相关度|幻觉",
            unless=r"\bwhat (?:is|are|does)\b|\bhow is\b|\bmean\b|\bplain\b|什么是|是什么|什么意思|大白话|通俗|怎么算",
        ),
        _sign(
            r"\b(?:context|contexts|passages|chunks|documents)\b|上下文|段落|文档|资料",
            also=r"\b(?:llm|language model|gpt|generator|rag)\b.{0,40}\b(?:gets?|sees?|reads?|given|enough|right)"
            r"|\bhow (?:good|useful|relevant|complete) (?:is|are) (?:the|its|my) (?:\w+ )?(?:context|passages|chunks)"
            r"|(?:上下文|段落|资料).{0,6}(?:好不好|好吗|怎么样|如何|够吗|够不够|质量)|大模型.{0,12}(?:够|对|正确|相关)",
            unless=r"context (?:length|window|size)|max(?:imum)? context|long context|上下文(?:长度|窗口)|多长|多少"
            r"|\bhow (?:many|long)\b|\bwhat if\b|如果",
        ),
    ),
    "truth": (
        _sign(
            r"\bnegat(?:ions?|ed)\b|\bopposites?\b|\bantonyms?\b|\bcontradict\w*|\bcounterfactuals?\b"
            r"|\b(?:true|right|correct) (?:from|and|or|vs\.?) (?:false|wrong|incorrect)\b|\btruth\b|\bfactual\w*"
            r"|\b(?:wrong|different|other|altered|mix\w* up|confus\w*) (?:the )?(?:facts?|numbers?|units?|names?)\b"
            r"|\bunderstands? (?:the )?(?:numbers?|units?|facts?)\b"
            r"|否定|反义|意思相反|真假|对错|事实错误|(?:数字|单位|人名|地名)(?:搞|弄|会)?[混错]",
            unless=r"\bwhat (?:is|are) (?:a |an )?(?:negation|antonym|counterfactual)s?\b|什么是|是什么意思"
            r"|\bfalse (?:positive|negative)|p.value|significan|ground truth",
        ),
    ),
    "mistakes": (
        _sign(
            r"\btypos?\b|\btyping (?:mistakes?|errors?)\b|\bmis-?spell\w*|\bspelling\b|\bmis-?typed?\b"
            r"|\brobust(?:ness)? (?:to|against|of)\b|\b(?:upper|lower)-? ?case\b|\ball caps\b|\baccents\b"
            r"|\bdiacritics\b|\bemojis?\b|\bcode.?switch\w*|\bmixed languages\b|\bword order\b"
            r"|错别字|打错|错字|拼写|拼错|大小写|全角|半角|繁体|表情符号|中英(?:文)?混|鲁棒",
            unless=r"\bwhat (?:is|are) (?:a |an )?(?:typo|emoji|diacritic)s?\b|什么是|是什么意思|支持|哪些模型",
        ),
    ),
    "more": (
        _sign(
            r"^\W*(?:please )?(?:(?:tell|show|give) me |say |and )?(?:more|(?:more |the |all )?details?|the rest"
            r"|in detail|more of (?:it|that))(?: please)?\W*$"
            r"|^\W*(?:更多|(?:更|再)?详细(?:说说|一点|一些|点|些|内容)?|细节|展开(?:说说)?|剩下的|其余的"
            r"|再(?:多)?说(?:一)?(?:点|些)|多说(?:一)?(?:点|些)|还有呢)\W*$"
        ),
    ),
    "assumptions": (
        _sign(
            r"\bwhat (?:did|do|have|are) you (?:just )?assum(?:e|ed|ing)\b"
            r"|\bwhat (?:are|were) (?:your|the) assumptions\b"
            r"|你.{0,3}(?:假设|假定)了?(?:什么|哪些|啥)|你.{0,4}(?:哪些|什么)(?:假设|假定)(?!检验)"
        ),
    ),
    "requirements": (
        _sign(
            r"\bwhat (?:did|have) i (?:ask(?:ed)? for|demand(?:ed)?|require(?:d)?)\b"
            r"|\bwhat (?:are|were) my (?:requirements|demands)\b"
            r"|我(?:的|提了|提过|有)(?:要求|需求)(?:是|有|都)*(?:什么|哪些|啥)|我(?:提|要求)(?:了|过)(?:什么|哪些)"
        ),
    ),
    "winner": (
        _sign(
            rf"(?:^|\b(?:tell me (?:more )?about|describe|show(?: me)?|(?:what|which|who)(?: one)?(?:'s| is)) )"
            rf"the {_WINNER}\W*$"
            r"|(?:介绍|说说|讲讲|看看).{0,4}(?:推荐的|胜出的|赢家).{0,4}$"
            r"|^(?:推荐的|胜出的)(?:那个|模型)?(?:是(?:哪个|什么|谁))?\W*$"
        ),
    ),
    "evidence": (
        _sign(
            rf"\bwhat (?:does|do|is|are) {_IDS}(?: (?:mean|stand for|say|about))?\W*$"
            rf"|\b(?:explain|show(?: me)?) {_IDS}\W*$|^\W*{_IDS}\W*$"
            rf"|{_IDS_ZH}\s*(?:都|各|分别)*(?:是?什么意思|指什么|是?指的?是?什么|代表(?:的是)?什么|是(?:什么|啥))",
            # the name of a family of models too: only told apart by the words around it
            unless=r"^\W*(?:(?:what is|what's|explain|show(?: me)?) )?E5\s*(?:是什么)?\W*$",
        ),
    ),
    "failures": (
        _sign(
            r"\b(?:which|what) (?:queries|questions) (?:did|does|do|were|are)\b.*\b(?:wrong|fail|miss|lose)"
            r"|哪些(?:查询|问题).*(?:错|失败|没找到|没答对)"
        ),
    ),
    "metric": (
        _sign(
            r"\b(?:ndcg|mrr|recall|precision|map|p95|average precision)(?:@\d+)?(?![a-z])|召回率|精确率|平均精度",
            also=r"\b(?:plain|simple|simply|lay(?:man|person)\w*|eli5|non-?technical|in (?:normal|everyday|human) "
            r"(?:words|language|english)|for dummies|like i'?m"
            r"|(?:to|for) (?:my|the|our|a) (?:boss|manager|customers?|clients?|team|ceo|mother|grandm\w+|child))\b"
            r"|通俗|大白话|白话|简单(?:说|讲|来说|解释)|"
            r"人话|外行|老板",
        ),
    ),
    "gains": (
        _sign(
            r"\bnext gain\b|\bsingle changes?\b|\bwhich (?:\w+ )?change\b"
            r"|\bwhat (?:else )?(?:would|could|can|might|will) (?:improve|help|boost|raise)\b"
            r"|\bhow (?:can|could|do|would) (?:i|we|you) (?:improve|boost|raise)\b"
            r"|(?:怎么|如何|怎样)(?:才能|可以)?(?:再)?(?:提升|提高|改进|改善)|什么(?:改动|改进|设置)|哪[个项种](?:改动|改进|设置)",
            also=r"\b(?:it|this|that|most|further|next|the (?:winner|score|result|quality))\b|它|这|最|更|再|推荐",
            unless=r"fine-?tun|微调",
        ),
        _sign(
            r"\b(?:half|quarter|fewer|smaller|shorter)\b.{0,20}\b(?:dim(?:ension)?s?|vectors?)\b"
            r"|\bint-?8\b|\bbinary\b|\bfloat-?16\b|\btwo[- ]stages?\b|\bhnsw\b|\bivf\b"
            r"|一半的?(?:维|向量)|维度?减半|量化|二值|两阶段",
            also=r"\b(?:enough|suffice|sufficient|okay|ok|fine|lose|loses|loss|hurt)\b|够|损失|[行好]吗|可以吗|掉多少|影响",
            unless=r"\bwhat (?:is|are)\b|\bwhat if\b|\bwhy\b|compare|什么是|是什么|区别|为什么|如果",
        ),
        _sign(
            r"^\W*(?:(?:and|is|or) )?(?:int-?8|binary|float-?16|half (?:of )?the (?:dim(?:ension)?s?|vectors?)|hnsw|ivf"
            r"|two[- ]stages?|二值|量化|维度减半|两阶段)\s*[?？]+\W*$"
        ),
    ),
    "parts": (
        _sign(
            r"\b(?:two|2|three|3|both|several|multiple|different|a second|another|more than one) (?:embedding )?"
            r"(?:models?|encoders?|candidates?|set-?ups?)\b|\broute|\brouting\b"
            r"|(?:两|双|2|多|几)个?(?:种)?(?:向量|嵌入)?模型|分流|路由|第二个模型|分开用",
            also=r"\b(?:better|worth|instead|need|help|make sense|combine|together|each|use|route|routing|gain"
            r"|different (?:quer|question|language))|[更好值需要用吗么呢?？分]",
            unless=r"\bcompare\b|\bbetween\b|difference|\b(?:the|these|those|your) (?:two|three)\b"
            rf"|比较|对比|区别|哪两|这两|{_CHANGED}",
        ),
        _sign(
            rf"{_PARTS}\s+(?:quer(?:y|ies)|questions?|searches|search terms|ones)\b"
            r"|\b(?:quer(?:y|ies)|questions|searches) (?:in|that are|with|of) (?:\w+ )?(?:english|chinese|german|french"
            r"|spanish|japanese|code|short|long|numbers?|ids?|few words)\b"
            rf"|{_PARTS_ZH}(?:的)?(?:查询|问题|提问|搜索|检索|搜|问|query|queries)",
            also=r"\b(?:which|what|who|how|better|best|worse|worst|good|bad|well|wins?|is|does|do)\b"
            r"|哪|谁|怎么样|怎样|如何|效果|好|差|[吗么呢?？]",
            unless=r"\bhow (?:many|long (?:is|are|do|does|should))\b|多少|几[条个]",
        ),
    ),
    "confidence": (
        _sign(
            rf"\bhow (?:confident|sure|certain) (?:are you|is {_IT}|can (?:i|we) be)(?: (?:of|about|in) {_IT})?\W*$"
            r"|多大的?把握|把握有?多大|有多(?:确定|大信心|有把握)"
        ),
        _sign(
            r"\b(?:trust|rely on|reliable|trustworthy|believe|believable|credible|conclusive|convincing|convinced|solid"
            r"|robust|meaningful|statistically|by chance|just (?:luck|noise|chance)|good enough to decide"
            r"|safe to (?:say|assume|decide|conclude)|fluke|coincidence)\b"
            r"|可信|可靠|靠谱|靠得住|信得过|(?:敢|能|该|可以)(?:不能)?(?:相?信|采信)|站得住|有说服力|(?:准|准确)(?:吗|不准)|碰巧"
            r"|偶然|说明(?:得了)?(?:什么)?问题",
            also=rf"{_THIS}|\d|会不会|是不是",
            unless=r"leader ?board|mteb|benchmark|榜|remote.?code|vendor|api",
        ),
        _sign(
            r"\b(?:enough|too (?:few|small|little)|not (?:much|many|a lot)|so few|only)\b|够(?:吗|不够|用|么)|太少"
            r"|太小|不多|只有|才",
            also=r"\b\d+ (?:questions|queries|samples|examples|judg\w+)\b|\b(?:my|the|these|your) (?:questions|queries"
            r"|sample|data|test set)\b|(?:\d+|几|这)[个条]?(?:多)?(?:个|条)?(?:问题|查询|样本|数据|例子)|样本",
            unless=r"\bhow many\b|多少(?:个|条)?(?:查询|问题|样本)|document|文档",
        ),
    ),
    "duration": (
        _sign(
            r"\bhow (?:much longer|long (?:will|does|would|until|till|is|to|more|before|still|do (?:i|we)))\b"
            r"|\bhow much (?:more )?time\b|\bwhen (?:will|are|is) (?:it|this|that|you|they|the \w+)(?: be)? "
            r"(?:done|ready|finish(?:ed)?|completed?|over)\b|\b(?:what'?s|what is|any|got an?) (?:the )?eta\b"
            r"|^\W*eta\W*$"
            r"|\b(?:are we|is it|is this|are you) (?:nearly |almost )?(?:there|done|finished|ready)(?: yet)?\W*$"
            r"|(?:还)?(?:要|需要|得|需)(?:等)?(?:多久|多长时间|多少时间|几分钟)|还(?:有|剩|差)(?:多久|多少(?:时间)?|多长时间)"
            r"|多久(?:能|可以|才|会)?(?:能)?(?:好|完|出|跑|测|搞定|结束)"
            r"|(?:什么时候|何时|几点)(?:能|可以|才|会)?(?:能)?(?:好|完|结束|出|跑完|测完)"
            r"|^\W*(?:还要)?(?:多久|多长时间)(?:呢|啊|了)?\W*$|(?:跑|测|做)完了?(?:吗|没)|好了(?:吗|没)",
            unless=r"\bhow long (?:is|are) (?:a|the|my|your) (?:text|context|document|quer|vector)|上下文|支持多长"
            rf"|{_CHANGED}",
        ),
    ),
    "start": (
        _sign(
            r"\b(?:get(?:ting)? started|start using|quick ?start|starter|hello world|boiler ?plate|minimal example"
            r"|(?:code )?snippet|(?:example|sample|python|working|some|the) code|code (?:for|to|example|sample)"
            r"|show me (?:the |some )?code|in (?:my )?code)\b"
            r"|上手|入门|示例|样例|(?:给|写|来|要)(?:我)?(?:一?[段份个点]|些)?.{0,6}代码|代码(?:怎么写|示例|例子)|怎么写代码",
            unless=r"\bcode search\b|代码检索|代码搜索|source code|fine-?tun|微调",
        ),
        _sign(
            r"\bhow (?:do|can|would|should|to)\b.*\b(?:use|call|load|integrate|plug|hook|wire|connect|index|query"
            r"|insert)\b"
            r"|(?:怎么|如何|怎样|咋).{0,8}?(?:使?用|调用|接入|集成|加载|接到|接进|对接|写进|放进|存进|连)",
            also=r"\b(?:it|this|that (?:model|one)|the (?:winner|model|recommended|chosen)|milvus|pymilvus|python)\b"
            r"|[它这该]|推荐的|胜出的|模型|milvus|python",
            unless=r"commerc|商用|商业|licen[cs]e|许可|fine-?tun|微调|hnsw|ivf|diskann",
        ),
    ),
    "licence": (
        _sign(
            r"\b(?:commercial(?:ly)?|sell|selling|resell|monetiz\w+|licen[cs]ed?|paid (?:product|service|app|feature)"
            r"|charge (?:customers|users|people|money|for)|make money|proprietary|closed[- ]source"
            r"|(?:our|my|a) (?:paid )?product|for profit|legally|allowed to use|free to use|business use)\b"
            r"|商用|商业|卖|盈利|营利|许可证?|授权|开源协议|什么协议|版权",
            unless=r"\blicen[cs]es\b|\bmodels\b|\bwhat is an?\b|\bmean|training data|cc-by|gpl|gemma|llama|\bmit\b"
            r"|apache|api|接口|哪些|训练数据|意思|区别|什么是|法务",
        ),
    ),
    "cheapest": (
        _sign(
            r"\b(?:cheapest|least expensive|lowest[- ](?:cost|price|priced)|most (?:affordable|economical)|fastest"
            r"|quickest|smallest|lightest|leanest|value for (?:the )?money|bang for)\b"
            r"|\b(?:anything|something|(?:a|any|the)(?: \w+)? (?:one|model|candidate|option))\b.*\b(?:cheaper|faster"
            r"|smaller|lighter)\b|\b(?:a|any) (?:cheaper|faster|smaller|lighter) (?:one|model|candidate|option)\b"
            r"|最便宜|最省[钱事]?|最快|最小|最轻|性价比|最划算|(?:更|比较|还)(?:便宜|省钱|划算|快|小)的",
            unless=r"\b(?:way|vector database|database|index|gpu|instance|server|provider|api|hosting)\b|数据库|索引"
            r"|显卡|服务器|接口|方式",
        ),
    ),
    "load": (
        _sign(
            r"\b(?:hold|holds|handle|handles|sustain\w*|support|supports|serve|serves|cope|copes|survive|survives|manage"
            r"|manages|keep(?:s)? up|stand|stands|take|takes|do|does)\b.{0,40}(?:\b(?:qps|rps)\b|\b(?:queries|requests"
            r"|searches)\b.{0,12}\b(?:second|minute|hour|sec)\b|(?:queries|requests|searches) ?/ ?s(?:ec)?\b|\bload\b"
            r"|\btraffic\b)"
            r"|\bhow (?:many|much) (?:qps|rps|load|traffic"
            r"|(?:queries|requests|searches) (?:per|a) (?:second|minute|hour)"
            r"|(?:queries|requests|searches) ?/ ?s)\b"
            r"|\b(?:latency|p95|p99|fast|slow)\b.{0,20}\bunder (?:load|traffic)\b|\bthroughput under load\b"
            r"|(?:扛得?住|撑得?住|顶得?住|承受|支撑|支持|抗住|跑得?到|能到).{0,10}(?:qps|rps|每秒|并发|负载|流量|压力)"
            r"|(?:qps|rps|每秒|并发|负载|流量|压力).{0,16}(?:扛得?住|撑得?住|顶得?住|承受|支撑|行吗|行不行|够吗|能行|可以吗)"
            r"|每秒.{0,6}(?:能|可以).{0,6}(?:多少|几)|(?:多少|多大|几).{0,3}(?:qps|并发|流量)|(?:qps|并发).{0,4}(?:多少|多大|多高)",
            unless=r"\bhow many (?:machines|servers|nodes)\b.{0,60}\b(?:million|billion)|\bwhat if\b|\bwhich models?\b"
            r"|\bcosts?\b|\bpay\b|\bprice|多少钱|费用|成本|如果|假如|哪[个些]模型|向量|vectors?\b|^\W*(?:we|i|our|my)\b|^\W*我",
        ),
    ),
    "hosting": (
        _sign(
            r"\bself[- ]?host(?:ed|ing)?\b|\b(?:my|our|your|an?) own (?:servers?|machines?|hardware|gpus?)\b"
            r"|\bon[- ]prem\w*|\bin[- ]house\b|自建|自托管"
            r"|自己(?:部署|托管|跑|的机器|的服务器)|自有(?:机器|服务器)|本地部署|私有化",
            also=r"\bapis?\b|\bpay(?:s|ing)? off\b|\bcheaper\b|\bworth\b|\bbreak[- ]?even\b|\bcosts?\b"
            r"|\bmake sense\b|接口|划算|便宜|合算|回本|值得|成本",
            unless=r"\b(?:must|has to|have to|needs? to) be\b|必须|只能|一定要",
        ),
        _sign(
            r"(?:自建|自托管|自己(?:部署|托管|搭|跑)|本地部署|私有化).{0,8}(?:还是|或者?|与|和|跟|对比|vs).{0,8}(?:api|接口)"
            r"|(?:api|接口).{0,8}(?:还是|或者?|与|和|跟|对比|vs).{0,8}(?:自建|自托管|自己(?:部署|托管|搭|跑)|本地部署|私有化)",
            unless=r"必须|只能|一定要",
        ),
        _sign(r"\bbreak[- ]?even\b|盈亏平衡|打平|回本", unless=r"\bwhat is (?:a |the )?break|什么是|是什么意思"),
        _sign(
            r"\bapis?\b.{0,25}\b(?:cheaper|pay off)\b|\b(?:cheaper|pay off)\b.{0,25}\bapis?\b"
            r"|(?:api|接口).{0,8}(?:划算|便宜|合算)"
        ),
    ),
    "size": (
        _sign(
            r"\d\s*(?:m|b|k|mn|bn|million|billion)\b|\d\s*(?:万|亿)|[百千万亿]万|[一二两三四五六七八九十百千]亿"
            r"|\b(?:a|one|ten|hundred|hundreds of) (?:million|billion)s?\b",
            also=r"\b(?:how (?:much|many)|what)\b.{0,40}\b(?:memory|ram|dis[ck]|storage|machines?|servers?|nodes?"
            r"|shards?)\b"
            r"|\b(?:one|a single|single) (?:machine|server|node)\b|\b(?:cluster|shard\w*|diskann|scale)\b"
            r"|\bwhat (?:do|does|would|will)\b.{0,40}\b(?:take|need|require)\b"
            r"|\bwhat (?:happens|changes|then)\b|\bhappens? (?:at|with|when|if)\b|\bgrows? to\b"
            r"|会(?:怎么?样|如何)|怎么办"
            r"|(?:内存|磁盘|存储|机器|服务器|节点).{0,6}(?:多少|几|够)|(?:多少|几台?|多大).{0,4}(?:内存|磁盘|存储|机器|服务器|节点)"
            r"|单机|一台机器|集群|分片|撑得住|扛得住|放得下|装得下",
            unless=r"\bcosts?\b|\bpay\b|\bprice|多少钱|费用|成本|parameters|参数|tokens?\b|\bwhich models?\b"
            r"|哪[个些]模型|fine-?tun|微调",
        ),
    ),
    "money": (
        _sign(
            r"\b(?:costs?|pay(?:ing)?|bill|price|priced|expensive|spend|budget|fees?|charges?)\b"
            r"|多少钱|费用|花费|成本|花(?:多少)?钱|贵(?:吗|不贵)|收费|开销|开支|预算|要钱",
            also=r"\b(?:month(?:ly)?|year(?:ly)?|annual(?:ly)?|a day|per day|daily|it|this|that|the (?:winner"
            r"|recommended|model)|to run|running|operat\w+|in production|us|me)\b|月|年|每天|一天|它|这|推荐|跑"
            r"|运行|上线|用起来",
            unless=r"\b(?:api|apis|openai|cohere|voyage|vector database|worth|fine-?tun\w*|gpus?)\b|接口|值得|值不值"
            r"|微调|向量(?:数据)?库|显卡|商用|商业",
        ),
    ),
}


def subject_of(words: str) -> Subject | None:
    """What of the conversation itself a question is about; None where it is about something else."""
    said = " ".join(words.split())
    return next((subject for subject, signs in _SIGNS.items() if any(sign.fits(said) for sign in signs)), None)


def ids_in(words: str) -> tuple[str, ...]:
    """The ids of evidence that a question names, each once."""
    return tuple(
        dict.fromkeys(found.upper() for found in re.findall(r"(?<![a-z0-9-])E[GMPQRX]?\d{1,5}(?![0-9])", words, re.I))
    )
