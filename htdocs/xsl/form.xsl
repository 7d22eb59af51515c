<?xml version="1.0" encoding="UTF-8"?>
<!-- SPDX-License-Identifier: Apache-2.0 -->
<!-- form.xsl: the application form with the security word, for one printed sheet of A4. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
                xmlns:m="urn:mod_esign:text" exclude-result-prefixes="m">

  <xsl:output method="html" encoding="UTF-8" indent="no" doctype-system="about:legacy-compat"/>
  <xsl:strip-space elements="*"/>
  <xsl:preserve-space elements="word"/>

  <xsl:template match="form-sheet">
    <html lang="{@lang}">
      <head>
        <title><xsl:value-of select="concat(m:text('sheet.title'), ' – ', @organization)"/></title>
        <meta name="viewport" content="width=device-width, initial-scale=1"/>
        <meta name="robots" content="noindex"/>
        <style>
@page { size: A4; margin: 18mm; }
body { max-width: 174mm; margin: 0 auto; padding: 8mm 4mm; background: #fff; color: #000; font: 11pt/1.45 system-ui, "Segoe UI", Roboto, Arial, sans-serif; }
header { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 2mm 8mm; padding-bottom: 3mm; border-bottom: 0.6mm solid #0f4c75; }
header p { margin: 0; }
.organization { font-weight: bold; color: #0f4c75; }
h1 { margin: 8mm 0 4mm; font-size: 17pt; line-height: 1.25; }
h2 { margin: 7mm 0 2mm; font-size: 12pt; }
table { width: 100%; border-collapse: collapse; }
th, td { padding: 1.8mm 2.5mm; border: 0.2mm solid #7c8894; text-align: start; vertical-align: top; overflow-wrap: anywhere; }
.facts th { width: 38%; }
.word { margin: 0; padding: 4mm; border: 0.5mm solid #0f4c75; border-radius: 2mm; font: bold 15pt/1.4 ui-monospace, "DejaVu Sans Mono", Consolas, monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
.confirm { margin-top: 12mm; break-inside: avoid; }
.signature { display: inline-block; min-width: 70mm; margin-top: 16mm; padding-top: 1.5mm; border-top: 0.2mm solid #000; }
@media print { body { padding: 0; } }
<xsl:apply-templates select="." mode="style"/>
        </style>
      </head>
      <body>
        <header>
          <p class="organization"><xsl:value-of select="@organization"/></p>
          <p><xsl:value-of select="concat(m:text('sheet.date'), ': ', m:date(string(@date)))"/></p>
        </header>
        <main>
          <h1><xsl:value-of select="m:text('sheet.title')"/></h1>
          <xsl:apply-templates select="subscriber | word"/>
          <xsl:if test="card">
            <h2><xsl:value-of select="m:text('sheet.cards')"/></h2>
            <table>
              <thead>
                <tr>
                  <th scope="col"><xsl:value-of select="m:text('card.serial')"/></th>
                  <th scope="col"><xsl:value-of select="m:text('card.validity')"/></th>
                </tr>
              </thead>
              <tbody>
                <xsl:apply-templates select="card"/>
              </tbody>
            </table>
          </xsl:if>
          <div class="confirm">
            <p><xsl:value-of select="m:text('sheet.confirm')"/></p>
            <p class="signature">
              <xsl:value-of select="concat(subscriber/@name, ' – ', m:text('sheet.signature'))"/>
            </p>
          </div>
        </main>
      </body>
    </html>
  </xsl:template>

  <!-- For a theme: further CSS. -->
  <xsl:template match="form-sheet" mode="style"/>

  <xsl:template match="subscriber">
    <h2><xsl:value-of select="m:text('sheet.subscriber')"/></h2>
    <table class="facts">
      <tbody>
        <xsl:call-template name="fact">
          <xsl:with-param name="key" select="'sheet.number'"/>
          <xsl:with-param name="value" select="@id"/>
        </xsl:call-template>
        <xsl:call-template name="fact">
          <xsl:with-param name="key" select="'sheet.national-id'"/>
          <xsl:with-param name="value" select="@national-id"/>
        </xsl:call-template>
        <xsl:call-template name="fact">
          <xsl:with-param name="key" select="'sheet.name'"/>
          <xsl:with-param name="value" select="@name"/>
        </xsl:call-template>
        <xsl:call-template name="fact">
          <xsl:with-param name="key" select="'sheet.email'"/>
          <xsl:with-param name="value" select="@email"/>
        </xsl:call-template>
        <xsl:call-template name="fact">
          <xsl:with-param name="key" select="'sheet.phone'"/>
          <xsl:with-param name="value" select="@phone"/>
        </xsl:call-template>
      </tbody>
    </table>
  </xsl:template>

  <xsl:template name="fact">
    <xsl:param name="key"/>
    <xsl:param name="value"/>
    <tr>
      <th scope="row"><xsl:value-of select="m:text($key)"/></th>
      <td><xsl:value-of select="$value"/></td>
    </tr>
  </xsl:template>

  <xsl:template match="word">
    <h2><xsl:value-of select="m:text('sheet.word')"/></h2>
    <p class="word"><xsl:value-of select="."/></p>
    <p><xsl:value-of select="m:text('sheet.word.note', string(../@url))"/></p>
  </xsl:template>

  <xsl:template match="card">
    <tr>
      <td><xsl:value-of select="@serial"/></td>
      <td>
        <xsl:value-of
            select="concat(m:date(string(@not-before)), ' – ', m:date(string(@not-after)))"/>
      </td>
    </tr>
  </xsl:template>

</xsl:stylesheet>
