"""M3ED: the Multi-modal Multi-scene Multi-label Emotional Dialogue database, from Chinese television series."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..corpus import Access, Corpus, Erratum, Licence, Permission, Source
from ..errors import RawTreeError
from ..partitions import EMOBOX, Table
from ..raw import match
from ..utterance import Gender, Utterance

# Series: names of its characters, without the blanks that precede three of them in annotation.json.
CHARACTERS = """
anjia: anjia_p1; anjia_p2; 严阿姨; 刘贝司; 张乘乘; 徐文昌; 房似锦; 朱闪闪; 潘贵雨; 瓜哥; 老严; 耿妈妈; 耿运来; 阚太太;
    阚文涛
banshimitangbanshishang: P1; P2; P3; P4; P5; 乔娜; 杜磊; 江君; 袁帅; 贾元吉
bianchengnidenayitian: 余声声; 佟婳; 姜大川; 江熠; 程乐一; 裴伽树
dahaoshiguang: dahaoshiguang_p1; 夏冰冰; 庞阿姨; 徐百卉; 朱涛; 罗一洋; 茅小春; 袁新华; 袁浩
dajiangdahe: dajiangdahe_p1; dajiangdahe_p2; dajiangdahe_p3; dajiangdahe_p4; dajiangdahe_p5; dajiangdahe_p6; 宋运萍;
    宋运辉; 寻健翔; 小梁思申; 杨巡; 水书记; 程开颜; 虞山卿; 雷东宝
doutinghao: 吴非; 小蒙; 朱丽; 石天冬; 聂金来; 苏大强; 苏明哲; 苏明成; 苏明玉; 苏母; 蔡根花
ershibuhuo: P1; P2; P3; P4; P5; 周寻; 姜小果; 曲婉; 梁爽; 段家宝; 段振宇; 熊治; 罗艳; 赵优秀; 路然; 魏云婕
fendou: 华子; 向南; 夏琳; 孙小海; 徐志森; 方灵珊; 杨晓芸; 瑶瑶; 米莱; 陆涛
fumuaiqing: 丛校长; 孙妈; 安杰; 安欣; 张桂英; 江亚菲（少年）; 江亚菲（成年）; 江卫民; 江德华; 江德福; 王秀娥; 老丁;
    葛老师
guainiguofenmeili: 于江; 张萌; 朱迪晨; 林湘; 祝贺; 莫北; 莫向晚; 莫晓晨; 郝迈; 金锦文; 阮荔华
haoxiansheng: P1; P2; P3; P4; 小蔡; 彭佳禾; 江浩坤; 江莱; 甘敬; 陆远
heyishengxiaomo: P1; P2; P3; 何以玫; 何以琛; 何以琛（大学）; 应晖; 萧筱; 萧筱（少年）; 赵清源; 赵默笙; 赵默笙（大学）;
    路远风
huanlesong: 关雎尔; 安迪; 曲筱绡; 樊胜美; 王柏川; 白主管; 谭宗明; 邱莹莹; 魏渭
huijiadeyouhuo: 林品如; 林奕德; 林守成; 洪世贤; 洪国荣; 白凤; 艾莉; 高文彦; 高虹
humamaoba: humamaoba_p1; humamaoba_p2; humamaoba_p3; 孙雅娴; 小赵; 毕大千; 毕然; 毕胜男; 罗三省; 罗素; 茜茜; 黄俐
jiayouernv: 云云妈; 刘星; 刘梅; 夏东海; 夏雨; 夏雪; 姥姥; 璐璐妈; 胡一统; 高原; 鼠标
jiayounishizuibangde: p1; 佳佳; 牛美丽; 白娇娇; 福子; 福子爸; 郝泽宇; 顾大棚
jimaofeishangtian: jimaofeishangtian_p1; jimaofeishangtian_p2; 邱英杰; 陈江河; 陈金水; 骆玉珠
jinhun: 佟多多; 佟志; 夏老师; 庄玉心; 文丽; 李天骄; 梅梅; 高淑贞
lamazhengzhuan: lamazhengzhuan_p1; lamazhengzhuan_p2; lamazhengzhuan_p3; lamazhengzhuan_p4; 元宝; 元宝妈; 夏冰; 夏冰妈;
    李木子; 洛天; 鲍帅
liujinsuiyue: 叶谨言; 唐欣; 奶奶; 戴茜; 朱锁锁; 杨柯; 王永正; 章安仁; 范金刚; 莉莉安; 蒋南孙; 谢宏祖; 马先生
lizhipaishenghuo: 丽萨; 宋梓妍; 徐敏杰; 沈若歆; 沈若歆妈妈; 祁晓; 祁晓妈
luohunshidai: 刘易阳; 吴红霞; 孙晓娆; 李冬; 特雷西; 田淑云; 童佳倩; 童建业; 陈娇娇; 魏国宁; 黄有为
nihaojiushiguang: 余周周; 余周周妈; 凌翔茜; 奔奔; 徐志强; 林杨; 楚天阔; 武文陆; 潘元胜; 米乔; 蒋川; 辛锐; 齐叔叔
nishiwodechengchibaolei: PersonA; PersonB; 束文波; 米佧; 罗霆; 邢克垒; 邢克垒小弟; 阮青夏; 陆风
nishiwodeyan: nishiwodeyan_p1; nishiwodeyan_p2; 三斤妈; 卢晓萌; 张三斤; 江暮遥; 王德彪; 谢立新; 邱跃进; 邱雪花; 阿霞
qihun: 俞亮; 俞晓暘; 大老师; 尹教练; 岳智; 方绪; 时光; 时光妈; 洪河; 白川; 穆清春; 褚嬴; 谷雨
qinaidereaide: 佟年; 佟父; 吴白; 孙亚亚; 戴风; 王浩; 米邵飞; 苏澄; 蓝莓; 韩商言; 韩爷爷
renmindemingyi: P1; P2; P3; P4; P5; P6; P7; 侯亮平; 季昌明; 李达康; 林华华; 欧阳菁; 祁同伟; 赵东来; 郑胜利; 郑西坡;
    陆亦可; 陈岩石; 陈海; 高育良
rucikeaidewomen: rucikeaidewomen_p1; 祝今宵; 谈宋; 谈怀民; 谈欧阳; 谈爷爷; 贺今朝; 贺妈妈; 陈妈妈; 陈最; 黄妈妈; 黄橙子;
    黄爸爸
sanshieryi: P1; 张志; 林有有; 梁正贤; 王漫妮; 许幻山; 钟晓芹; 陈屿; 陈莲芝; 顾佳
shanhaiqing: shanhaiqing_p1; shanhaiqing_p2; shanhaiqing_p3; shanhaiqing_p4; shanhaiqing_p5; shanhaiqing_p6; 凌一农;
    李水花; 白崇礼; 白麦苗; 陈金山; 马得宝; 马得福
shaonianpai: 唐元明; 安丽丽; 林大为; 林妙妙; 江天昊; 王胜男; 裴音; 谢维洲; 赵荣宝; 邓小琪; 钱三一; 钱钰锟
waixiangren: waixiangren_p1; waixiangren_p2; waixiangren_p3; waixiangren_p4; waixiangren_p5; waixiangren_p6;
    waixiangren_p7; 叶子; 叶子的舅妈; 大徐; 小水; 山炮; 李东生; 梦娜; 王冬至; 谢长发; 轮子; 陆文昌; 靳亮; 韩梅
wanmeiguanxi: P1; P2; P3; 卫哲; 叶东烈; 斯黛拉; 李斯特; 林肯; 江达琳; 沈英杰; 聂灵子; 舒晴; 袁肃; 邓溪; 马邦尼;
    马邦尼妈妈
woju: woju_p1; woju_p2; woju_p3; 宋思明; 苏淳; 郭海萍; 郭海藻
womendexinshidai: womendexinshidai_p1; womendexinshidai_p2; womendexinshidai_p3; womendexinshidai_p4; 于海洋; 何妙云;
    何芬芳; 刘梦鸢; 庄晓栋; 庞一冰; 文静; 曹冲; 林进; 白菁; 赵旭东; 黄思齐; 黄海
woshiyuhuanshui: p2; p3; 余欢水; 吕夫蒙; 栾冰然; 甘虹; 赵觉民; 魏广军
xiangjianni: 吴文磊; 李子维; 王诠胜; 班长; 班长弟弟; 老师; 莫俊杰; 陈思源; 陈韵如; 黄雨萱; 黄雨萱（child）
xiaobieli: P1; 吴佳妮; 周佳成; 张亮忠; 方圆; 方朵朵; 李想; 琴琴; 童文洁; 蒂娜; 金志明
xiaohuanxi: 乔卫东; 乔英子; 刘静; 季胜利; 宋倩; 方一凡; 方圆; 林磊儿; 童文洁
xiaoshede: 南俪; 南建龙; 夏君山; 崔经理; 张雪儿; 方远洋; 李副团长; 田雨岚; 米桃妈; 蔡菊英; 赵娜; 钟益; 雅德校长
xiaozhangfu: 乔治; 姚澜; 姚澜妈妈; 孙志安; 孙甜甜; 田坤; 袁帅; 陆小山; 陆小贝; 陆母; 陆长山
xiayizhanshixingfu: P1; P2; P3; 元宋; 叶鹿鸣; 蔡敏敏; 贺繁星
xinlianaishidai: 刘旭刚; 向飞; 小李; 沈画; 胡小米; 邓小可; 邓小可母亲; 邓文宣; 郑海潮; 陈佳; 魏山山
xueselangman: 卖烤白薯的; 周晓白; 宁伟; 常贵; 教导员; 珊珊; 秦岭; 罗芸; 蒋碧云; 袁军; 郑桐; 钟跃民; 高玥; 高琦
yijiarenzhiming: p1; p2; p3; p4; p5; p6; p7; p8; 凌霄; 唐灿; 庄北; 李尖尖; 李海潮; 秦美央; 贺子秋; 金玉香; 陈婷; 齐明月
yipuerzhu: yupuerzhu_p1; yupuerzhu_p2; yupuerzhu_p3; 唐红; 孟小玉; 孟来财; 杨树; 杨树苗; 顾菁菁
yiqitongguochuang: 任逸帆; 体委; 余皓; 李殊词; 林洛雪; 毕十三; 潘震; 班主任; 肖海洋; 赵西晰; 路桥川; 钟白; 顾一心
yueguangbianzouqu: yueguangbianzouqu_p1; 于姚; 初礼; 昼川; 昼顾宣; 杜袅袅; 江与诚; 阿象; 顾白芷
yujianwanglichuan: Jeanette Sue; P1; 叶静文; 小东; 王沥川; 王霁川; 艾玛; 萧观; 谢小秋
zhengfu: zhengfu_p1; zhengfu_p2; zhengfu_p3; 刘华强; 吴天; 周国权; 宋杰; 张晓红; 徐国庆; 李丽; 李梅; 王凯; 范东; 金宝
zhengyangmenxia: 侯素娥; 关大爷; 关小关; 大舅; 孟小杏; 孟小枣; 李媛; 涛子; 程建军; 苏萌; 苏萌奶奶; 韩春明; 韩母
zhiwomendanchundexiaomeihao: zhiwomendanchundexiaomeihao_p1; zhiwomendanchundexiaomeihao_p2;
    zhiwomendanchundexiaomeihao_p3; zhiwomendanchundexiaomeihao_p4; 吴柏松; 林静晓; 江辰; 秦唐莉; 陆杨; 陈小希
zhiwomennuannuandexiaoshiguang: 傅沛; 傅沛爸; 司徒妈; 司徒末; 徐婕儿; 梦露; 江教授; 王珊; 许老师; 谢雨吟; 顾未易
zuimeideshiguang: P1; 宋翊; 苏蔓; 许怜霜; 陆励成
"""


def _speakers() -> dict[str, Gender]:
    """Return series_character -> unknown: genders stand in annotation.json, not here."""
    speakers: dict[str, Gender] = {}
    for line in re.sub(r";\n +", "; ", CHARACTERS).strip().splitlines():
        series, characters = line.split(": ")
        speakers |= {f"{series}_{character.strip()}": Gender.UNKNOWN for character in characters.split(";")}
    return speakers


# splitInfo/movie_list_val.txt and movie_list_test.txt; movie_list_train.txt has the other 38 series.
VALIDATION = (
    "bianchengnidenayitian",
    "humamaoba",
    "nishiwodeyan",
    "renmindemingyi",
    "yijiarenzhiming",
    "yueguangbianzouqu",
    "zhiwomendanchundexiaomeihao",
)
TEST = (
    "guainiguofenmeili",
    "huanlesong",
    "jiayouernv",
    "liujinsuiyue",
    "luohunshidai",
    "rucikeaidewomen",
    "wanmeiguanxi",
    "woju",
    "xiangjianni",
    "xiaohuanxi",
    "xiayizhanshixingfu",
)


def series_of(one: Utterance) -> str:
    """Return the series, the first part of the utterance's own name."""
    return one.id.removeprefix("m3ed-").partition("_")[0]


def by_series(rule: str) -> Table:
    """Return the split by series under one of its names."""
    keys = {"validation": frozenset(VALIDATION), "test": frozenset(TEST)}
    return Table(keys=keys, rest="train", key=series_of, rule=rule)


CORPUS = Corpus(
    id="m3ed",
    name="M3ED",
    description="990 dialogues from 56 Chinese television series, as clips of single utterances in seven emotions.",
    languages=("zh",),
    sources=(Source.TV,),
    licence=Licence(
        id="custom",
        redistribution=Permission.NO,
        commercial=Permission.NO,
        note="for research (wording unverified): the repository has no licence file; the clips are cut from television "
        "series",
    ),
    access=Access.OPEN,
    homepage="https://github.com/AIM3-RUC/RUCM3ED",
    citation="""@inproceedings{zhao2022m3ed,
  title = {{M3ED}: Multi-modal Multi-scene Multi-label Emotional Dialogue Database},
  author = {Zhao, Jinming and Zhang, Tenggan and Hu, Jingwen and Liu, Yuchen and Jin, Qin and Wang, Xinchao and
            Li, Haizhou},
  booktitle = {Proc. ACL},
  year = {2022},
  doi = {10.18653/v1/2022.acl-long.391}
}""",
    how_to_get="Clone the repository for annotation.json, fetch the audio clips from "
    "https://pan.baidu.com/s/1JvaTabyKoQiWx2GtAIhpdw (code 6b5q, needs an account) and unpack them as modality_speech/ "
    "beside it.",
    layout="""
<root>/
    annotation.json
    modality_speech/  A_shaonianpai_1_1.wav B_shaonianpai_1_2.wav ...   24,437 clips
""",
    utterances=24437,
    emotions={
        "Anger": "anger",
        "Disgust": "disgust",
        "Fear": "fear",
        "Happy": "happiness",
        "Neutral": "neutral",
        "Sad": "sadness",
        "Surprise": "surprise",
    },
    classes={
        "Anger": "Angry",
        "Disgust": "Disgust",
        "Fear": "Fear",
        "Happy": "Happy",
        "Neutral": "Neutral",
        "Sad": "Sad",
        "Surprise": "Surprise",
    },
    speakers=_speakers(),
    partitions={
        "fold1": by_series(f"by series, 38 train, 7 validate, 11 test: the corpus' own split, as in {EMOBOX}"),
        "official": by_series("by series, 38 train, 7 validate, 11 test: the corpus' own lists in splitInfo/"),
    },
    papers=("emobox",),
    traps=(
        "A and B are the two parties of one dialogue, not speakers: annotation.json gives them names, which are unique "
        "within a series only.",
        "Some characters have placeholders for names (P1, anjia_p1, PersonA); P1 of one dialogue need not be P1 of "
        "another.",
        "Three listeners gave one or more emotions; the label is the main one (final_main_emo). All agreed ones are in "
        "final_mul_emo, which is not read.",
        "Labels mix nouns and adjectives: Anger, but Sad and Happy.",
        "28 clips last less than 0.1 s.",
        "Cut from television: music and other voices occur. relation_annotation_release.json holds only the dialogues' "
        "times in their episodes.",
    ),
    errata=(
        Erratum(
            "annotation.json has 24,449 utterances (the paper's number, unverified), 12 of which have no readable "
            "clip; EmoBox lists the other 24,437."
        ),
        Erratum(
            "B_zhengyangmenxia_7_31.wav lasts 0.007 s, too short for any encoder (EmoBox's list).",
            drop=("m3ed-zhengyangmenxia_7_31",),
        ),
        Erratum("The papers count 626 speakers; EmoBox's list has 635 pairs of series and character (counted)."),
    ),
    facts_from=(
        "emo-box/EmoBox@08280f279d47fb55d2c614061c70523d0a338d6b: data/m3ed, EmoBox/preprocess/scripts/m3ed.py",
        "AIM3-RUC/RUCM3ED@5d33b00ea82dd05383bab520e65225edfd0c5743: README.md, splitInfo/*",
        "three public loaders that read annotation.json (its keys)",
    ),
)

GRAMMAR = re.compile(r"modality_speech/(?P<party>[AB])_(?P<stem>(?P<dialog>(?P<series>[a-z]+)_\d+)_\d+)\.wav")


def find(root: Path) -> Iterator[Utterance]:
    """Yield every clip below `root` that annotation.json has.

    Raises:
        RawTreeError: annotation.json is missing, or lacks what an utterance needs.
    """
    annotation: Mapping[str, Any] = {}
    for path, name in match(root, GRAMMAR, "modality_speech"):
        annotation = annotation or _annotation(root / "annotation.json")
        dialog = annotation.get(name["series"], {}).get(name["dialog"], {"Dialog": {}})
        try:
            line = dialog["Dialog"].get(name["stem"])
            if line is None or line["Speaker"] != name["party"]:
                continue
            party = dialog["SpeakerInfo"][name["party"]]
            speaker, gender = party["Name"].strip(), party.get("Gender", "")
            emotion, text = line["EmoAnnotation"]["final_main_emo"], line.get("Text")
        except KeyError as key:
            raise RawTreeError(
                f"{CORPUS.name}: {root / 'annotation.json'} gives every utterance Speaker and "
                f"EmoAnnotation.final_main_emo, and every dialogue SpeakerInfo with names; {key} is missing for "
                f"{name['stem']}. Take the file of {CORPUS.homepage}."
            ) from key
        yield Utterance(
            id=f"m3ed-{name['stem']}",
            path=path,
            native=emotion,
            speaker=f"{name['series']}_{speaker}",
            gender=Gender(gender) if gender in list(Gender) else Gender.UNKNOWN,
            language="zh",
            transcript=text,
        )


def _annotation(path: Path) -> Mapping[str, Any]:
    """Return series -> dialogue -> what annotation.json says of it."""
    if not path.is_file():
        raise RawTreeError(
            f"{CORPUS.name}: the labels are read from {path}, which does not exist. Copy it from {CORPUS.homepage}."
        )
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        raise RawTreeError(
            f"{CORPUS.name}: {path} is no whole JSON file: {error}. Copy it again from {CORPUS.homepage}."
        ) from error
