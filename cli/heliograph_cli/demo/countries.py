"""Where the people of the demo live, what they speak, and names in their scripts."""

from __future__ import annotations

from typing import NamedTuple


class Country(NamedTuple):
    """A country of the demo."""

    country: str
    """ISO 3166-1 alpha-2, as the phone numbers have it."""
    locale: str
    zones: tuple[str, ...]
    given: tuple[str, ...]
    family: tuple[str, ...]


def _country(country: str, locale: str, zones: str, given: str, family: str) -> Country:
    return Country(country, locale, tuple(zones.split()), tuple(given.split()), tuple(family.split()))


COUNTRIES = (
    _country("DE", "de-DE", "Europe/Berlin", "Anna Jörg Zoë Käthe Luís", "Müller Weiß Schäfer Özdemir"),
    _country("AT", "de-AT", "Europe/Vienna", "Theres Günther Änne", "Grübl Höß Steindl"),
    _country("US", "en-US", "America/New_York America/Chicago America/Denver America/Los_Angeles Pacific/Honolulu",
           "Amara Noah José Ava", "Smith O'Neill Núñez Begay"),
    _country("CA", "fr-CA", "America/Toronto America/St_Johns America/Regina", "Zoé Benoît", "Lévesque Tremblay"),
    _country("GB", "en-GB", "Europe/London", "Siân Oliver Niamh", "Llewellyn Brontë Okafor"),
    _country("FR", "fr-FR", "Europe/Paris", "Éloïse François Maëlle", "Lefèvre Garçon D'Arc"),
    _country("ES", "es-ES", "Europe/Madrid Atlantic/Canary", "Íñigo Lucía Begoña", "Ibáñez Peña"),
    _country("PT", "pt-PT", "Europe/Lisbon Atlantic/Azores", "João Inês Conceição", "Simões Gonçalves"),
    _country("PL", "pl-PL", "Europe/Warsaw", "Łucja Zdzisław Małgorzata", "Wójcik Żółć"),
    _country("TR", "tr-TR", "Europe/Istanbul", "İlkay Gül Çağrı", "Yıldız Şahin"),
    _country("GR", "el-GR", "Europe/Athens", "Ελένη Γιώργος Χρύσα", "Παπαδόπουλος Νικολάου"),
    _country("UA", "uk-UA", "Europe/Kyiv", "Олена Тарас Їжакевич", "Шевченко Ґалаґан"),
    _country("BG", "bg-BG", "Europe/Sofia", "Цветелина Йордан", "Жечев Ъгълова"),
    _country("IL", "he-IL", "Asia/Jerusalem", "יעל נועם שירה", "כהן לוי"),
    _country("EG", "ar-EG", "Africa/Cairo", "ليلى أحمد مريم", "حسين عبدالله"),
    _country("MA", "ar-MA", "Africa/Casablanca", "ياسمين يوسف", "العلوي بناني"),
    _country("SA", "ar-SA", "Asia/Riyadh", "نورة فهد", "القحطاني الحربي"),
    _country("IR", "fa-IR", "Asia/Tehran", "پریسا کیوان", "گلستانی چمنی"),
    _country("NG", "en-NG", "Africa/Lagos", "Chidi Ọláyínká Ngọzi", "Adébáyọ̀ Eze"),
    _country("KE", "sw-KE", "Africa/Nairobi", "Wanjikũ Otieno", "Kamau Ng'ang'a"),
    _country("ET", "am-ET", "Africa/Addis_Ababa", "ሰላም አበበ", "ተስፋዬ በቀለ"),
    _country("ZA", "en-ZA", "Africa/Johannesburg", "Thandiwe Pieter", "Dlamini Van-der-Merwe"),
    _country("IN", "hi-IN", "Asia/Kolkata", "अनन्या राजेश ज्योति", "शर्मा त्रिपाठी"),
    _country("NP", "ne-NP", "Asia/Kathmandu", "सीता विष्णु", "श्रेष्ठ गुरुङ"),
    _country("BD", "bn-BD", "Asia/Dhaka", "নুসরাত রফিক", "চৌধুরী হক"),
    _country("LK", "ta-LK", "Asia/Colombo", "கவிதா முருகன்", "சுப்பிரமணியம் செல்வம்"),
    _country("TH", "th-TH", "Asia/Bangkok", "สมชาย ณัฐวุฒิ กัญญา", "แก้วมณี ศรีสุข"),
    _country("VN", "vi-VN", "Asia/Ho_Chi_Minh", "Nguyệt Đức Hương", "Nguyễn Trần"),
    _country("CN", "zh-Hans-CN", "Asia/Shanghai", "伟 静 思远", "王 欧阳 李"),
    _country("TW", "zh-Hant-TW", "Asia/Taipei", "怡君 冠廷", "陳 歐陽"),
    _country("JP", "ja-JP", "Asia/Tokyo", "さくら 健太 ユウコ", "髙橋 﨑山 サトウ"),
    _country("KR", "ko-KR", "Asia/Seoul", "서연 민준", "김 남궁"),
    _country("GE", "ka-GE", "Asia/Tbilisi", "ნინო გიორგი", "ბერიძე"),
    _country("AM", "hy-AM", "Asia/Yerevan", "Անահիտ Արմեն", "Հակոբյան"),
    _country("AU", "en-AU", "Australia/Sydney Australia/Adelaide Australia/Eucla", "Kirra Jack", "O'Brien Nguyen"),
    _country("NZ", "mi-NZ", "Pacific/Auckland Pacific/Chatham", "Māia Wīremu", "Tāwhiri Ngāta"),
    _country("BR", "pt-BR", "America/Sao_Paulo America/Manaus", "Antônia Caetano Luísa", "Araújo Conceição"),
    _country("MX", "es-MX", "America/Mexico_City America/Tijuana", "Sofía Ramón", "Muñoz Hernández"),
    _country("AR", "es-AR", "America/Argentina/Buenos_Aires", "Agustín Belén", "Agüero Núñez"),
    _country("CL", "es-CL", "America/Santiago Pacific/Easter", "Ñancupil Tomás", "Cañas Peñailillo"),
)  # fmt: skip
