"""Malignancies as they stand in German and Spanish charts, written by hand for these tests."""

GERMAN = """\
Mammakarzinom
Brustkrebs
Prostatakarzinom
Prostatakrebs
Bronchialkarzinom
Lungenkrebs
Kolonkarzinom
Rektumkarzinom
Darmkrebs
Magenkarzinom
Pankreaskarzinom
Leberkrebs
Hepatozelluläres Karzinom
Nierenzellkarzinom
Hypernephrom
Harnblasenkarzinom
Zervixkarzinom
Ovarialkarzinom
Schilddrüsenkarzinom
Ösophaguskarzinom
Malignes Melanom
Multiples Myelom
Plasmozytom
Morbus Hodgkin
Non-Hodgkin-Lymphom
Chronische lymphatische Leukämie
Akute myeloische Leukaemie
Osteosarkom
Ewing-Sarkom
Leiomyosarkom
Glioblastom
Neuroblastom
Chordom
Seminom
Pleuramesotheliom
Knochenmetastasen
Filia bei metastasiertem Tumor
Bösartige Neubildung der Brustdrüse
Bösartige Neubildung der Prostata
Boesartige Neubildung der Lunge
Mycosis fungoides
Morbus Waldenström
Neuroendokriner Tumor des Dünndarms
Mamma-Ca rechts
Prostata-Ca
Bronchial-CA
Kaposi-Sarkom
Astrozytom
Ependymom
Zustand nach Mammakarzinom
""".splitlines()

SPANISH = """\
Cáncer de mama
Cáncer de próstata
Cáncer de pulmón
Cáncer de colon
Cáncer de recto
Cáncer gástrico
Cáncer de páncreas
Cáncer de vejiga
Cáncer de ovario
Cáncer de tiroides
Carcinoma hepatocelular
Carcinoma renal
Adenocarcinoma de próstata
Carcinoma ductal infiltrante
Carcinoma microcítico de pulmón
Neoplasia maligna de mama
Tumor maligno de pulmón
Tumor maligno de la próstata
Mieloma múltiple
Plasmocitoma solitario, mieloma
Linfoma de Hodgkin
Linfoma no Hodgkin
Linfoma difuso de células grandes
Leucemia linfática crónica
Leucemia mieloide aguda
Melanoma maligno
Sarcoma de Ewing
Osteosarcoma
Leiomiosarcoma
Glioblastoma
Neuroblastoma
Cordoma sacro
Seminoma
Mesotelioma maligno
Metástasis óseas
Metástasis vertebral
Enfermedad metastásica
Micosis fungoide
Macroglobulinemia de Waldenström
Astrocitoma
Ependimoma
Tumor neuroendocrino de páncreas
Ca de mama
Ca de próstata
Sarcoma de Kaposi
Antecedente personal de cáncer de mama
Cancer de prostata metastasico
Carcinoma epidermoide de pulmón
Carcinoma urotelial
Linfogranulomatosis maligna
""".splitlines()
