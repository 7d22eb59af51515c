<?xml version="1.0" encoding="UTF-8"?>
<!-- SPDX-License-Identifier: Apache-2.0 -->
<!-- mail-html.xsl: the HTML part of a mail. It has the words of the text part, no pictures, and
     loads nothing. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
                xmlns:m="urn:mod_esign:text" exclude-result-prefixes="m">

  <xsl:include href="mail-words.xsl"/>

  <xsl:output method="html" encoding="UTF-8" indent="no" doctype-system="about:legacy-compat"/>
  <xsl:strip-space elements="*"/>

  <xsl:template match="message">
    <html lang="{@lang}">
      <head>
        <title><xsl:value-of select="@organization"/></title>
        <meta name="viewport" content="width=device-width, initial-scale=1"/>
        <meta name="color-scheme" content="light dark"/>
        <meta name="supported-color-schemes" content="light dark"/>
        <style>
:root { color-scheme: light dark; supported-color-schemes: light dark; }
body { margin: 0; padding: 24px 12px; background: #f2f4f7; color: #17212b; font: 16px/1.55 system-ui, "Segoe UI", Roboto, Arial, sans-serif; }
.sheet { max-width: 560px; margin: 0 auto; padding: 24px; background: #ffffff; border-top: 4px solid #0f4c75; border-radius: 8px; overflow-wrap: anywhere; }
.from { margin: 0 0 20px; font-weight: bold; color: #0f4c75; }
.facts { padding: 12px 16px; background: #f2f4f7; border-radius: 6px; }
.go a { display: inline-block; padding: 13px 22px; background: #0f4c75; color: #ffffff; border-radius: 6px; font-weight: bold; text-decoration: none; }
.address { font-size: 14px; }
.address a, .end a { color: #0f4c75; }
.end ul { margin: 8px 0 0; padding: 0 0 0 22px; }
.end { margin-top: 24px; padding-top: 16px; border-top: 1px solid #d5dce4; font-size: 14px; color: #465462; }
@media (prefers-color-scheme: dark) {
body { background: #10171e; color: #e7ecf1; }
.sheet { background: #18222c; border-top-color: #86c2ee; }
.facts { background: #10171e; }
.from, .address a, .end a { color: #86c2ee; }
.go a { background: #86c2ee; color: #0b1a26; }
.end { color: #aab7c4; border-top-color: #334250; }
}
<xsl:apply-templates select="." mode="style"/>
        </style>
      </head>
      <body>
        <div class="sheet">
          <p class="from"><xsl:value-of select="@organization"/></p>
          <p><xsl:value-of select="m:text('mail.greeting', string(name))"/></p>
          <p><xsl:apply-templates select="." mode="what"/></p>
          <xsl:apply-templates select="origin"/>
          <xsl:apply-templates select="link"/>
          <p><xsl:apply-templates select="." mode="otherwise"/></p>
          <div class="end">
            <p><xsl:value-of select="m:text('mail.never')"/></p>
            <ul>
              <li><xsl:value-of select="m:text('mail.never.word')"/></li>
              <li><xsl:value-of select="m:text('mail.never.code')"/></li>
              <li><xsl:value-of select="m:text('mail.never.pin')"/></li>
            </ul>
            <p>
              <xsl:value-of select="m:text('mail.closing')"/>
              <br/>
              <xsl:value-of select="@organization"/>
              <br/>
              <a href="{@url}"><xsl:value-of select="@url"/></a>
            </p>
          </div>
        </div>
      </body>
    </html>
  </xsl:template>

  <!-- For a theme: further CSS. -->
  <xsl:template match="message" mode="style"/>

  <xsl:template match="origin">
    <p class="facts">
      <xsl:value-of select="m:text('mail.time', string(@written))"/>
      <br/>
      <xsl:value-of select="m:text('mail.address', string(@address))"/>
    </p>
  </xsl:template>

  <xsl:template match="link">
    <p class="go"><a href="{@href}"><xsl:value-of select="m:text('mail.reset.link')"/></a></p>
    <p class="address"><a href="{@href}"><xsl:value-of select="@href"/></a></p>
    <p><xsl:apply-templates select="../life" mode="life"/></p>
  </xsl:template>

</xsl:stylesheet>
