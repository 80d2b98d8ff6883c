"""Where the people of the demo live, what they speak, and names in their scripts."""

from __future__ import annotations

from typing import NamedTuple


class Place(NamedTuple):
    """A country of the demo."""

    country: str
    """ISO 3166-1 alpha-2, as the phone numbers have it."""
    locale: str
    zones: tuple[str, ...]
    given: tuple[str, ...]
    family: tuple[str, ...]


def _place(country: str, locale: str, zones: str, given: str, family: str) -> Place:
    return Place(country, locale, tuple(zones.split()), tuple(given.split()), tuple(family.split()))


PLACES = (
    _place("DE", "de-DE", "Europe/Berlin", "Anna Jörg Zoë Käthe Luís", "Müller Weiß Schäfer Özdemir"),
    _place("AT", "de-AT", "Europe/Vienna", "Theres Günther Änne", "Grübl Höß Steindl"),
    _place("US", "en-US", "America/New_York America/Chicago America/Denver America/Los_Angeles Pacific/Honolulu",
           "Amara Noah José Ava", "Smith O'Neill Núñez Begay"),
    _place("CA", "fr-CA", "America/Toronto America/St_Johns America/Regina", "Zoé Benoît", "Lévesque Tremblay"),
    _place("GB", "en-GB", "Europe/London", "Siân Oliver Niamh", "Llewellyn Brontë Okafor"),
    _place("FR", "fr-FR", "Europe/Paris", "Éloïse François Maëlle", "Lefèvre Garçon D'Arc"),
    _place("ES", "es-ES", "Europe/Madrid Atlantic/Canary", "Íñigo Lucía Begoña", "Ibáñez Peña"),
    _place("PT", "pt-PT", "Europe/Lisbon Atlantic/Azores", "João Inês Conceição", "Simões Gonçalves"),
    _place("PL", "pl-PL", "Europe/Warsaw", "Łucja Zdzisław Małgorzata", "Wójcik Żółć"),
    _place("TR", "tr-TR", "Europe/Istanbul", "İlkay Gül Çağrı", "Yıldız Şahin"),
    _place("GR", "el-GR", "Europe/Athens", "Ελένη Γιώργος Χρύσα", "Παπαδόπουλος Νικολάου"),
    _place("UA", "uk-UA", "Europe/Kyiv", "Олена Тарас Їжакевич", "Шевченко Ґалаґан"),
    _place("BG", "bg-BG", "Europe/Sofia", "Цветелина Йордан", "Жечев Ъгълова"),
    _place("IL", "he-IL", "Asia/Jerusalem", "יעל נועם שירה", "כהן לוי"),
    _place("EG", "ar-EG", "Africa/Cairo", "ليلى أحمد مريم", "حسين عبدالله"),
    _place("MA", "ar-MA", "Africa/Casablanca", "ياسمين يوسف", "العلوي بناني"),
    _place("SA", "ar-SA", "Asia/Riyadh", "نورة فهد", "القحطاني الحربي"),
    _place("IR", "fa-IR", "Asia/Tehran", "پریسا کیوان", "گلستانی چمنی"),
    _place("NG", "en-NG", "Africa/Lagos", "Chidi Ọláyínká Ngọzi", "Adébáyọ̀ Eze"),
    _place("KE", "sw-KE", "Africa/Nairobi", "Wanjikũ Otieno", "Kamau Ng'ang'a"),
    _place("ET", "am-ET", "Africa/Addis_Ababa", "ሰላም አበበ", "ተስፋዬ በቀለ"),
    _place("ZA", "en-ZA", "Africa/Johannesburg", "Thandiwe Pieter", "Dlamini Van-der-Merwe"),
    _place("IN", "hi-IN", "Asia/Kolkata", "अनन्या राजेश ज्योति", "शर्मा त्रिपाठी"),
    _place("NP", "ne-NP", "Asia/Kathmandu", "सीता विष्णु", "श्रेष्ठ गुरुङ"),
    _place("BD", "bn-BD", "Asia/Dhaka", "নুসরাত রফিক", "চৌধুরী হক"),
    _place("LK", "ta-LK", "Asia/Colombo", "கவிதா முருகன்", "சுப்பிரமணியம் செல்வம்"),
    _place("TH", "th-TH", "Asia/Bangkok", "สมชาย ณัฐวุฒิ กัญญา", "แก้วมณี ศรีสุข"),
    _place("VN", "vi-VN", "Asia/Ho_Chi_Minh", "Nguyệt Đức Hương", "Nguyễn Trần"),
    _place("CN", "zh-Hans-CN", "Asia/Shanghai", "伟 静 思远", "王 欧阳 李"),
    _place("TW", "zh-Hant-TW", "Asia/Taipei", "怡君 冠廷", "陳 歐陽"),
    _place("JP", "ja-JP", "Asia/Tokyo", "さくら 健太 ユウコ", "髙橋 﨑山 サトウ"),
    _place("KR", "ko-KR", "Asia/Seoul", "서연 민준", "김 남궁"),
    _place("GE", "ka-GE", "Asia/Tbilisi", "ნინო გიორგი", "ბერიძე"),
    _place("AM", "hy-AM", "Asia/Yerevan", "Անահիտ Արմեն", "Հակոբյան"),
    _place("AU", "en-AU", "Australia/Sydney Australia/Adelaide Australia/Eucla", "Kirra Jack", "O'Brien Nguyen"),
    _place("NZ", "mi-NZ", "Pacific/Auckland Pacific/Chatham", "Māia Wīremu", "Tāwhiri Ngāta"),
    _place("BR", "pt-BR", "America/Sao_Paulo America/Manaus", "Antônia Caetano Luísa", "Araújo Conceição"),
    _place("MX", "es-MX", "America/Mexico_City America/Tijuana", "Sofía Ramón", "Muñoz Hernández"),
    _place("AR", "es-AR", "America/Argentina/Buenos_Aires", "Agustín Belén", "Agüero Núñez"),
    _place("CL", "es-CL", "America/Santiago Pacific/Easter", "Ñancupil Tomás", "Cañas Peñailillo"),
)  # fmt: skip
